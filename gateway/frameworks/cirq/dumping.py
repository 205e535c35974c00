"""The shared circuit -> Cirq (https://quantumai.google/cirq), checked against cirq-core 1.7.0.

Qubit ``k`` is ``cirq.LineQubit(k)``. A measurement's key says which clbit it is.
"""

from __future__ import annotations

import cmath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import pi
from typing import Any

import cirq
import sympy

from gateway.circuit import Circuit, Condition, Operation
from gateway.circuit.conditions import bits_of, clbits_of
from gateway.circuit.lowering import lower
from gateway.frameworks.cirq.gates import GATES
from gateway.frameworks.shared.common import refused

_EULER = frozenset({"u", "u2", "u3", "U"})


def dump(circuit: Circuit) -> Any:  # noqa: ANN401 - a cirq.Circuit
    """Return a ``cirq.Circuit`` on line qubits.

    The measurement of clbit 3 has the key ``c[3]``; if another one overwrites it later, ``c[3]#0``.
    Idle qubits get an identity, since Cirq knows only qubits that something acts on; clbits after the
    last one that is measured are a tag. Barriers, which Cirq does not have, are left out.

    Raises:
        UnsupportedError: a conditional measurement, which Cirq does not have.
    """
    qubits = cirq.LineQubit.range(circuit.num_qubits)
    keys, moments = _Keys(circuit.operations), _Moments()
    used: set[int] = set()
    for index, op in _native_operations(circuit.operations):
        used.update(op.qubits)
        for operation in _native(index, op, qubits, keys):
            moments.add(operation, _clbits(op))
    for idle in sorted(set(range(circuit.num_qubits)) - used):
        moments.add(cirq.I(qubits[idle]), ())
    tags = [f"{circuit.num_clbits} clbits"] if keys.highest < circuit.num_clbits - 1 else []
    return cirq.Circuit(moments.packed(), tags=tags)


def _clbits(op: Operation) -> tuple[int, ...]:
    """Return the clbits that an operation writes or tests."""
    return (*op.clbits, *clbits_of(op.condition))


class _Moments:
    """Puts each operation into the first moment after those it shares a qubit or a clbit with.

    Cirq's own packing takes half as much time again, and lets a measurement that overwrites a clbit
    come before the last operation that the old value controls.
    """

    def __init__(self) -> None:
        self._moments: list[list[Any]] = []
        self._free: dict[object, int] = {}

    def add(self, operation: Any, clbits: Iterable[int]) -> None:  # noqa: ANN401 - a cirq.Operation
        """Add an operation that writes or tests clbits."""
        shared = (*operation.qubits, *clbits)
        level = max([self._free.get(part, 0) for part in shared], default=0)
        if level == len(self._moments):
            self._moments.append([])
        self._moments[level].append(operation)
        self._free.update(dict.fromkeys(shared, level + 1))

    def packed(self) -> list[Any]:
        """Return the moments."""
        return [cirq.Moment.from_ops(*moment) for moment in self._moments]


class _Keys:
    """The measurement keys: which one each clbit shows at a moment.

    Args:
        operations: of the whole circuit, with their indices in order.
    """

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._left: dict[int, int] = {}
        for op in operations:
            for clbit in op.clbits:
                self._left[clbit] = self._left.get(clbit, 0) + 1
        self._times = dict.fromkeys(self._left, 0)
        self.highest = max(self._left, default=-1)
        self.now: dict[int, str] = {}

    def measure(self, clbit: int) -> str:
        """Return the key for the next measurement into a clbit."""
        self._left[clbit] -= 1
        later = self._left[clbit] > 0
        self.now[clbit] = f"c[{clbit}]" + (f"#{self._times[clbit]}" if later else "")
        self._times[clbit] += 1
        return self.now[clbit]


def _native_operations(operations: Sequence[Operation]) -> Iterator[tuple[int, Operation]]:
    """Yield the operations in gates Cirq has, each with the index of the one it comes from."""
    native = frozenset(GATES) | _EULER
    for index, op in enumerate(operations):
        for part in [op] if op.name in native else lower([op], native):
            yield index, part


def _native(index: int, op: Operation, qubits: Sequence[Any], keys: _Keys) -> list[Any]:
    """Return the operations of Cirq for one of ours."""
    if op.name == "barrier":
        return []
    where = [qubits[qubit] for qubit in op.qubits]
    if op.name == "measure":
        if op.condition:
            raise refused(index, "conditional measurement", "Cirq has no measurement under a condition")
        return [cirq.measure(*where, key=keys.measure(op.clbits[0]))]
    made = [gate.on(*where[: gate.num_qubits()]) for gate in _gates(op)]
    if not op.condition:
        return made
    controls = _controls(op.condition, keys.now)
    return [] if controls is None else [operation.with_classical_controls(*controls) for operation in made]


def _gates(op: Operation) -> list[Any]:
    """Return the gates of an operation on its qubits; a phase first where it takes one."""
    if op.name == "reset":
        return [cirq.ResetChannel()]
    if op.name in _EULER:
        theta, phi, lam = op.params if op.name != "u2" else (pi / 2, *op.params)
        axis = cirq.PhasedXZGate(x_exponent=theta / pi, z_exponent=(phi + lam) / pi, axis_phase_exponent=0.5 - lam / pi)
        return [cirq.GlobalPhaseGate(cmath.exp(-0.5j * theta)), axis]
    entry = GATES[op.name]
    return [entry(*op.params) if op.params else entry]


def _controls(condition: Condition, keys: Mapping[int, str]) -> list[Any] | None:
    """Return a condition on the keys that the clbits show; ``None`` if it never holds.

    A clbit that nothing was measured into is 0.
    """
    controls: list[Any] = []
    for comparison in condition:
        bits = bits_of(comparison)
        tested = [(keys[clbit], bit) for clbit, bit in bits if clbit in keys]
        possible = all(bit == 0 for clbit, bit in bits if clbit not in keys)
        if comparison.equal and possible:
            controls += [_test(key, bit) for key, bit in tested]
        elif comparison.equal or (possible and not tested):
            return None
        elif possible:
            controls.append(_unequal(tested))
    return controls


def _test(key: str, bit: int) -> Any:  # noqa: ANN401 - a cirq.Condition
    if bit:
        return cirq.KeyCondition(cirq.MeasurementKey(key))
    return cirq.BitMaskKeyCondition(key, target_value=0, equal_target=True)


def _unequal(tested: Sequence[tuple[str, int]]) -> Any:  # noqa: ANN401 - a cirq.Condition
    """Return the condition that not all keys have the bit wanted: of Cirq's, sympy's alone can say it."""
    if len(tested) == 1:
        ((key, bit),) = tested
        return _test(key, 1 - bit)
    return cirq.SympyCondition(sympy.Or(*(sympy.Ne(sympy.Symbol(key), bit) for key, bit in tested)))
