"""The shared circuit -> Cirq (https://quantumai.google/cirq), checked against cirq-core 1.7.0.

Qubit ``k`` is ``cirq.LineQubit(k)``. A measurement's key says which clbit it is. Parameters are symbols.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import pi
from typing import Any, NamedTuple

import cirq
import sympy

from gateway.circuit import Circuit, Condition, Operation
from gateway.circuit.conditions import bits_of, clbits_of, holds
from gateway.circuit.lowering import lower
from gateway.circuit.operations import marks_of_loops
from gateway.frameworks.cirq.gates import GATES
from gateway.frameworks.shared.operations import sections
from gateway.frameworks.shared.parameters import translated, with_native_angles
from gateway.frameworks.shared.refusals import refused
from gateway.frameworks.shared.symbols import SYMPY

_EULER = frozenset({"u", "u2", "u3", "U"})
_TURN = "turn of u"
"""The name of the gate that a ``u`` is after a phase; it is not in the gate table."""


def _turn(theta: float, phi: float, lam: float) -> Any:  # noqa: ANN401 - a cirq.Gate
    return cirq.PhasedXZGate(x_exponent=theta / pi, z_exponent=(phi + lam) / pi, axis_phase_exponent=0.5 - lam / pi)


_SHIFTED = "p with a phase"
"""The name of a gate that with a ``p`` of the opposite angle is a phase: Cirq draws no phase with symbols."""


def _shifted(angle: Any) -> Any:  # noqa: ANN401 - a cirq.Gate
    return cirq.ZPowGate(exponent=angle / pi, global_shift=1)


_TABLE: Mapping[str, Any] = {**GATES, _TURN: _turn, _SHIFTED: _shifted}
_NATIVE = frozenset({*GATES, *_EULER})


def dump(circuit: Circuit) -> Any:  # noqa: ANN401 - a cirq.Circuit
    """Return a ``cirq.Circuit`` on line qubits.

    The measurement of clbit 3 has the key ``c[3]``; if another one overwrites it later, ``c[3]#0``, but ``c[3]`` in
    a circuit with loops. Idle qubits get an identity, since Cirq knows only qubits that something acts on. Tags have
    the numbers of clbits and hidden clbits, if the last ones are not measured or some are hidden. Barriers, which Cirq
    does not have, are left out. A loop that is certain to begin is repeated until its condition does not hold.

    Raises:
        UnsupportedError: the circuit has a conditional measurement, an assignment, a loop that may not begin or does
            not measure what it tests, or parameters in a phase without qubits: Cirq has none of these.
    """
    _check(circuit)
    operations = with_native_angles(circuit.with_operations(lower(circuit.operations, _NATIVE)), _in_sympy).operations
    operations = [part for op in operations for part in _with_phase(op)]
    last = max([clbit for op in operations for clbit in op.clbits], default=-1)
    tags = [f"{circuit.num_clbits} clbits"] if last < circuit.num_clbits - 1 or circuit.num_hidden else []
    tags += [f"{circuit.num_hidden} hidden clbits"] if circuit.num_hidden else []
    num_clbits = circuit.num_clbits + circuit.num_hidden
    if any(op.name == "while" for op in operations):
        builder = _LoopBuilder(circuit.num_qubits, num_clbits)
        return cirq.Circuit([*builder.moments(operations), *builder.identities()], tags=tags)
    return build(circuit.num_qubits, num_clbits, operations, _TABLE, tags=tags, idle=True).circuit


def _in_sympy(angle: Any) -> Any:  # noqa: ANN401 - a sympy expression
    return translated(angle, sympy.Symbol, SYMPY)


def _with_phase(op: Operation) -> list[Operation]:
    """Return a ``u`` as a phase and a gate of Cirq's, and any other operation as it is.

    With symbols, a ``u`` is made of gates that have its phase, and a phase of gates on qubit 0.
    """
    if op.name == "gphase" and isinstance(op.params[0], sympy.Basic):
        return [_like(op, _SHIFTED, (0,), op.params[0]), _like(op, "p", (0,), -op.params[0])]
    if op.name not in _EULER:
        return [op]
    theta, phi, lam = op.params if op.name != "u2" else (pi / 2, *op.params)
    if any(isinstance(angle, sympy.Basic) for angle in op.params):
        return [_like(op, "p", op.qubits, lam), _like(op, "ry", op.qubits, theta), _like(op, "p", op.qubits, phi)]
    return [_like(op, "gphase", (), -theta / 2), _like(op, _TURN, op.qubits, theta, phi, lam)]


def _like(op: Operation, name: str, qubits: tuple[int, ...], *params: Any) -> Operation:  # noqa: ANN401
    return Operation(name, qubits, params, (), op.condition)


# ---------------------------------------------------------------------------- refusals


def _check(circuit: Circuit) -> None:
    """Refuse what Cirq does not have."""
    if not circuit.num_qubits and circuit.parameters:
        raise refused(0, "gphase", "Cirq draws no phase with symbols, and there is no qubit that could have it")
    ends = dict(marks_of_loops(circuit.operations))
    written: set[int] = set()
    around: list[set[int]] = []  # what the loops around measure
    for index, op in enumerate(circuit.operations):
        if op.name == "measure" and op.condition:
            raise refused(index, "conditional measurement", "Cirq has no measurement under a condition")
        if op.name == "set":
            raise refused(index, "set", "Cirq has no assignment to what was measured")
        if op.name == "while":
            around.append(_measured_in_loop(circuit, index, ends[index], written.union(*around)))
        elif op.name == "end":
            around.pop()
        elif around and op.condition:
            late = clbits_of(op.condition) & around[0] - written
            if late:
                reason = f"it tests clbit {min(late)}, which the first turn measures only later"
                raise refused(index, op.name, f"{reason}, and Cirq has no value for it")
        written.update(op.clbits)


def _measured_in_loop(circuit: Circuit, index: int, end: int, written: set[int]) -> set[int]:
    """Return the clbits that a loop measures, and refuse one that may not begin.

    Args:
        circuit: the circuit with the loop.
        index: the index of its beginning.
        end: the index of its end.
        written: the clbits that are not 0 for certain when it begins.
    """
    op = circuit.operations[index]
    body = circuit.operations[index + 1 : end]
    measured = {clbit for inner in body for clbit in inner.clbits}
    tested = clbits_of(op.condition)
    if not tested <= measured:
        raise refused(index, "while", "a loop of Cirq's measures all that its condition tests")
    if not tested.isdisjoint(written) or not holds(op.condition, 0):
        raise refused(index, "while", "a loop of Cirq's takes its first turn in any case, and this one may not")
    return measured


# ---------------------------------------------------------------------------- building


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
    builder = _Builder(num_qubits, num_clbits, _Keys(operations), table)
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

    def __init__(self, num_qubits: int, num_clbits: int, keys: _Keys, table: Mapping[str, Any]) -> None:
        self.qubits = cirq.LineQubit.range(num_qubits)
        self.keys = keys
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


class _LoopBuilder:
    """Builds a circuit with loops, section by section.

    Args:
        num_qubits: the number of line qubits.
        num_clbits: the number of clbits, hidden ones included.
    """

    def __init__(self, num_qubits: int, num_clbits: int) -> None:
        self._sizes = (num_qubits, num_clbits)
        self._keys = _Keys(())
        self._busy_qubits: set[int] = set()

    def moments(self, operations: Sequence[Operation]) -> list[Any]:
        """Return operations as moments, each loop in one of its own."""
        moments: list[Any] = []
        for loop, inner in sections(operations):
            if loop is None:
                builder = _Builder(*self._sizes, self._keys, _TABLE)
                for op in inner:
                    if op.name != "barrier":
                        self._busy_qubits.update(op.qubits)
                        builder.append(op)
                moments += [cirq.Moment.from_ops(*moment) for moment in builder.moments]
            else:
                body = cirq.FrozenCircuit(self.moments(inner))
                until = _until(loop.condition)
                operation = cirq.CircuitOperation(body, use_repetition_ids=False, repeat_until=until)
                moments.append(cirq.Moment.from_ops(operation))
        return moments

    def identities(self) -> list[Any]:
        """Return a moment of identities on qubits that nothing acts on, if there are any."""
        idle = set(range(self._sizes[0])) - self._busy_qubits
        return [cirq.Moment.from_ops(*[cirq.I(cirq.LineQubit(qubit)) for qubit in sorted(idle)])] if idle else []


def _until(condition: Condition) -> Any:  # noqa: ANN401 - a cirq.Condition
    """Return the opposite of a condition on clbits, all of which have been measured."""
    tests: list[Any] = []
    for comparison in condition:
        bits = [(f"c[{clbit}]", bit) for clbit, bit in bits_of(comparison)]
        equal = sympy.And(*(sympy.Eq(sympy.Symbol(key), bit) for key, bit in bits))
        tests.append(sympy.Not(equal) if comparison.equal else equal)
    until = sympy.Or(*tests)
    is_one = isinstance(until, sympy.Eq) and until.rhs == 1
    return cirq.KeyCondition(cirq.MeasurementKey(until.lhs.name)) if is_one else cirq.SympyCondition(until)


class _Keys:
    """The measurement keys, and which of them each clbit takes its value from at a moment.

    Args:
        operations: the operations of the whole circuit, in order; none if a clbit has the same key each time.
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
        if clbit not in self._times:
            self.now[clbit] = f"c[{clbit}]"
            return self.now[clbit]
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
    return cirq.SympyCondition(sympy.Eq(sympy.Symbol(key), 0))


def _unequal(key_bits: Sequence[tuple[str, int]]) -> Any:  # noqa: ANN401 - a cirq.Condition
    """Return the condition that the keys do not all have these bits; only a SympyCondition can express it."""
    if len(key_bits) == 1:
        ((key, bit),) = key_bits
        return _test(key, 1 - bit)
    return cirq.SympyCondition(sympy.Or(*(sympy.Ne(sympy.Symbol(key), bit) for key, bit in key_bits)))
