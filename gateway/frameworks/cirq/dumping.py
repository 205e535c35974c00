"""The shared circuit -> Cirq (https://quantumai.google/cirq), checked against cirq-core 1.7.0.

Qubit ``k`` is ``cirq.LineQubit(k)``. A measurement's key says which clbit it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import pi
from typing import Any, NamedTuple

import cirq
import sympy

from gateway.circuit import Circuit, Condition, Operation
from gateway.circuit.conditions import bits_of, clbits_of
from gateway.circuit.lowering import lower
from gateway.frameworks.cirq.gates import GATES
from gateway.frameworks.shared.refusals import refused

_EULER = frozenset({"u", "u2", "u3", "U"})
_TURN = "turn of u"
"""The name of the gate that a ``u`` is after a phase; it is not in the gate table."""


def _turn(theta: float, phi: float, lam: float) -> Any:  # noqa: ANN401 - a cirq.Gate
    return cirq.PhasedXZGate(x_exponent=theta / pi, z_exponent=(phi + lam) / pi, axis_phase_exponent=0.5 - lam / pi)


_TABLE: Mapping[str, Any] = {**GATES, _TURN: _turn}
_NATIVE = frozenset({*GATES, *_EULER})


def dump(circuit: Circuit) -> Any:  # noqa: ANN401 - a cirq.Circuit
    """Return a ``cirq.Circuit`` on line qubits.

    The measurement of clbit 3 has the key ``c[3]``; if another one overwrites it later, ``c[3]#0``.
    Idle qubits get an identity, since Cirq knows only qubits that something acts on. A tag has the number of
    clbits, if the last ones are not measured. Barriers, which Cirq does not have, are left out.

    Raises:
        UnsupportedError: the circuit has a conditional measurement, which Cirq does not have.
    """
    for index, op in enumerate(circuit.operations):
        if op.name == "measure" and op.condition:
            raise refused(index, "conditional measurement", "Cirq has no measurement under a condition")
    operations = [part for op in lower(circuit.operations, _NATIVE) for part in _with_phase(op)]
    last = max([clbit for op in operations for clbit in op.clbits], default=-1)
    tags = [f"{circuit.num_clbits} clbits"] if last < circuit.num_clbits - 1 else []
    return build(circuit.num_qubits, circuit.num_clbits, operations, _TABLE, tags=tags, idle=True).circuit


def _with_phase(op: Operation) -> list[Operation]:
    """Return a ``u`` as a phase and a gate of Cirq's, and any other operation as it is."""
    if op.name not in _EULER:
        return [op]
    theta, phi, lam = op.params if op.name != "u2" else (pi / 2, *op.params)
    phase = Operation("gphase", (), (-theta / 2,), (), op.condition)
    return [phase, Operation(_TURN, op.qubits, (theta, phi, lam), (), op.condition)]


class CirqCircuit(NamedTuple):
    """A ``cirq.Circuit``, its qubits in our order, and the measurement key whose outcome each clbit has at the end."""

    circuit: Any
    qubits: list[Any]
    keys: dict[int, str]


def build(
    num_qubits: int,
    num_clbits: int,
    operations: Sequence[Operation],
    table: Mapping[str, Any],
    *,
    tags: Sequence[str] = (),
    idle: bool = False,
) -> CirqCircuit:
    """Return operations as a Cirq circuit.

    Args:
        num_qubits: the number of line qubits.
        num_clbits: the number of clbits; each has the outcome of the last measurement into it.
        operations: the operations, without conditional measurements; barriers are left out.
        table: gate of the table -> Cirq's gate, or a function from the angles to it.
        tags: the tags of the circuit.
        idle: whether each qubit that nothing acts on gets an identity.
    """
    builder = _Builder(num_qubits, num_clbits, operations, table)
    for op in operations:
        if op.name != "barrier":
            builder.append(op)
    if idle:
        builder.append_identities()
    circuit = cirq.Circuit([cirq.Moment.from_ops(*moment) for moment in builder.moments], tags=tags)
    return CirqCircuit(circuit, builder.qubits, builder.keys.now)


class _Builder:
    """Puts each operation into the first moment after all that share a qubit or a clbit with it.

    Cirq's own packing takes three times as long, and may put a measurement that overwrites a clbit before the
    last operation that the old value controls.
    """

    def __init__(
        self, num_qubits: int, num_clbits: int, operations: Iterable[Operation], table: Mapping[str, Any]
    ) -> None:
        self.qubits = cirq.LineQubit.range(num_qubits)
        self.keys = _Keys(operations)
        self.moments: list[list[Any]] = []
        self._num_qubits = num_qubits
        self._free = [0] * (num_qubits + num_clbits)  # for each qubit and clbit: its first free moment
        self._table = {**table, "reset": cirq.ResetChannel()}
        # Cirq's operations are immutable, so the same gate on the same qubits is the same object.
        self._operations: dict[tuple[str, tuple[int, ...]], Any] = {}

    def append(self, op: Operation) -> None:
        """Append an operation, unless it has a condition that never holds."""
        places: Sequence[int] = op.qubits
        if op.clbits or op.condition:
            native, places = self._classical(op), self._places(op)
            if native is None:
                return
        else:
            native = self._gate(op)
        free, moments = self._free, self.moments
        level = max([free[place] for place in places], default=0)
        if level == len(moments):
            moments.append([])
        moments[level].append(native)
        for place in places:
            free[place] = level + 1

    def append_identities(self) -> None:
        """Append an identity on each qubit that nothing acts on."""
        for qubit in range(self._num_qubits):
            if not self._free[qubit]:
                self.append(Operation("id", (qubit,)))

    def _gate(self, op: Operation) -> Any:  # noqa: ANN401 - a cirq.Operation
        native = self._operations.get((op.name, op.qubits))
        if native is None:
            gate = self._table[op.name]
            native = cirq.GateOperation(gate(*op.params) if op.params else gate, [self.qubits[q] for q in op.qubits])
            if not op.params:
                self._operations[op.name, op.qubits] = native
        return native

    def _classical(self, op: Operation) -> Any:  # noqa: ANN401 - a cirq.Operation
        """Return a measurement, or an operation under a condition; ``None`` if the condition never holds."""
        if op.name == "measure":
            return cirq.measure(self.qubits[op.qubits[0]], key=self.keys.measure(op.clbits[0]))
        controls = _controls(op.condition, self.keys.now)
        return None if controls is None else self._gate(op).with_classical_controls(*controls)

    def _places(self, op: Operation) -> list[int]:
        """Return the places of the qubits that an operation acts on, and of the clbits that it writes or tests."""
        clbits = [*op.clbits, *clbits_of(op.condition)]
        return [*op.qubits, *(self._num_qubits + clbit for clbit in clbits)]


class _Keys:
    """The measurement keys, and which of them each clbit takes its value from at a moment.

    Args:
        operations: the operations of the whole circuit, in order.
    """

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._remaining: dict[int, int] = {}
        for op in operations:
            for clbit in op.clbits:
                self._remaining[clbit] = self._remaining.get(clbit, 0) + 1
        self._times = dict.fromkeys(self._remaining, 0)
        self.now: dict[int, str] = {}

    def measure(self, clbit: int) -> str:
        """Return the key for the next measurement into a clbit."""
        self._remaining[clbit] -= 1
        later = self._remaining[clbit] > 0
        self.now[clbit] = f"c[{clbit}]" + (f"#{self._times[clbit]}" if later else "")
        self._times[clbit] += 1
        return self.now[clbit]


def _controls(condition: Condition, keys: Mapping[int, str]) -> list[Any] | None:
    """Return a condition on clbits as conditions on their keys; ``None`` if it never holds.

    A clbit that nothing was measured into is 0.
    """
    controls: list[Any] = []
    for comparison in condition:
        bits = bits_of(comparison)
        key_bits = [(keys[clbit], bit) for clbit, bit in bits if clbit in keys]
        possible = all(bit == 0 for clbit, bit in bits if clbit not in keys)
        if comparison.equal and possible:
            controls += [_test(key, bit) for key, bit in key_bits]
        elif comparison.equal or (possible and not key_bits):
            return None
        elif possible:
            controls.append(_unequal(key_bits))
    return controls


def _test(key: str, bit: int) -> Any:  # noqa: ANN401 - a cirq.Condition
    if bit:
        return cirq.KeyCondition(cirq.MeasurementKey(key))
    return cirq.BitMaskKeyCondition(key, target_value=0, equal_target=True)


def _unequal(key_bits: Sequence[tuple[str, int]]) -> Any:  # noqa: ANN401 - a cirq.Condition
    """Return the condition that the keys do not all have these bits; only a SympyCondition can express it."""
    if len(key_bits) == 1:
        ((key, bit),) = key_bits
        return _test(key, 1 - bit)
    return cirq.SympyCondition(sympy.Or(*(sympy.Ne(sympy.Symbol(key), bit) for key, bit in key_bits)))
