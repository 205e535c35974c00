"""The shared circuit -> pytket (https://docs.quantinuum.com/tket), checked against pytket 2.18.5.

Angles and phases are in half-turns there. Qubit ``k`` is ``q[k]``, clbit ``k`` is ``c[k]``. Hidden clbits are bits of
the register in which pytket itself keeps what it computes conditions from. Parameters are symbols.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from math import pi
from typing import Any, NamedTuple

from pytket.circuit import Bit, Op, OpType, Qubit
from pytket.circuit import Circuit as TketCircuit
from sympy import Symbol

from gateway.circuit import Circuit, Expression, Operation
from gateway.circuit.conditions import assignments
from gateway.circuit.lowering import lower
from gateway.circuit.operations import CONTROL
from gateway.errors import UnsupportedError
from gateway.frameworks.pytket.assignments import append_assignment
from gateway.frameworks.pytket.bits import SCRATCH
from gateway.frameworks.pytket.gates import GATES, MANY, NATIVE, Entry
from gateway.frameworks.shared.parameters import divided, translated, with_native_angles
from gateway.frameworks.shared.symbols import SYMPY

LARGEST_VALUE = 2**32 - 1
"""The largest number that pytket compares bits with."""

_MEASURE, _RESET = Op.create(OpType.Measure), Op.create(OpType.Reset)


def dump(circuit: Circuit) -> Any:  # noqa: ANN401 - a pytket Circuit
    """Return a ``pytket.Circuit`` with a register ``q`` and, if there are clbits, a register ``c``.

    A condition that is not an assignment, such as ``!=`` of several clbits, becomes several assignments.

    Raises:
        UnsupportedError: the circuit has a loop, which pytket does not have, or writes a value that pytket cannot say.
    """
    lowered = circuit.with_operations(lower(circuit.operations, NATIVE))
    operations = with_native_angles(lowered, _in_sympy).operations
    if circuit.num_hidden or not CONTROL.isdisjoint(op.name for op in operations):
        return _build_with_hidden(circuit, operations)
    return build(circuit.num_qubits, circuit.num_clbits, operations, GATES, _append_other)


class _Radians(NamedTuple):
    """An angle with parameters, which divided by pi is a symbolic number of half-turns."""

    half_turns: Any

    def __truediv__(self, _: float) -> Any:  # noqa: ANN401 - a sympy expression
        return self.half_turns


def _in_sympy(angle: Expression) -> _Radians:
    return _Radians(translated(divided(angle, pi), Symbol, SYMPY))


def _build_with_hidden(circuit: Circuit, operations: Sequence[Operation]) -> Any:  # noqa: ANN401 - a pytket Circuit
    """Return operations with assignments among them as a ``pytket.Circuit``."""
    hidden = [Bit(SCRATCH, place) for place in range(circuit.num_hidden)]
    units = [*[Bit(clbit) for clbit in range(circuit.num_clbits)], *hidden]

    def append_other(target: Any, op: Operation) -> None:  # noqa: ANN401 - a pytket Circuit
        _append_other(target, op, units)

    target = TketCircuit(circuit.num_qubits, circuit.num_clbits)
    for bit in hidden:
        target.add_bit(bit)
    for index, op in enumerate(operations):
        if op.name in {"while", "end"}:
            msg = f"operation {index}: while: pytket has no loops"
            raise UnsupportedError(msg, feature="while", operation=index)
        if op.name == "set":
            append_assignment(target, op, units, index)
        else:
            append_all(target, [op], GATES, append_other)
    return target


def build(
    num_qubits: int,
    num_clbits: int,
    operations: Sequence[Operation],
    table: Mapping[str, Entry],
    other: Callable[[Any, Operation], None],
) -> Any:  # noqa: ANN401 - a pytket Circuit
    """Return operations as a ``pytket.Circuit``.

    Args:
        num_qubits: the size of the register ``q``.
        num_clbits: the size of the register ``c``; there is no such register if it is 0.
        operations: the operations of the circuit, in order.
        table: gate of the table -> pytket's operation, or a function from half-turns to it.
        other: appends an operation that is not an unconditional gate of this table.
    """
    target = TketCircuit(num_qubits, num_clbits)
    append_all(target, operations, table, other)
    return target


def append_all(
    target: Any,  # noqa: ANN401 - a pytket Circuit
    operations: Iterable[Operation],
    table: Mapping[str, Entry],
    other: Callable[[Any, Operation], None],
) -> None:
    """Append operations to a circuit of pytket; the arguments are those of :func:`build`."""
    add = target.add_gate
    for op in operations:
        entry = table.get(op.name)
        if entry is None or op.condition:
            other(target, op)
        elif op.params:
            add(entry(*[angle / pi for angle in op.params]), op.qubits)
        else:
            add(entry, op.qubits)


def append(
    target: Any,  # noqa: ANN401 - a pytket Circuit
    op: Operation,
    table: Mapping[str, Entry],
    bits: Mapping[int, int],
    units: Sequence[Any] | None = None,
) -> None:
    """Append a gate, a measurement or a reset.

    Args:
        target: the pytket Circuit.
        op: the operation to append; ``bits`` take the place of its condition.
        table: gate of the table -> pytket's operation, or a function from half-turns to it.
        bits: clbit -> value that it has to have; empty for no condition.
        units: pytket's bit for each clbit; ``None`` if the circuit has only one register of bits.

    Raises:
        UnsupportedError: more bits have to be 1 than pytket can say.
    """
    value = _value(bits)
    if value > LARGEST_VALUE:  # the bits may stand in any order: those that have to be 1 come first
        bits = dict(sorted(bits.items(), key=lambda item: -item[1]))
        value = _value(bits)
    if value > LARGEST_VALUE:
        message = f"pytket tests whether 32 bits are 1 at most, and this condition tests {sum(bits.values())}"
        raise UnsupportedError(message, feature="condition")
    tested, qubits, clbits = list(bits), list(op.qubits), list(op.clbits)
    if units is not None:
        tested, qubits, clbits = [units[bit] for bit in bits], list(map(Qubit, qubits)), [units[bit] for bit in clbits]
    when = {"condition_bits": tested, "condition_value": value} if bits else {}
    if op.name in MANY:
        target.add_gate(MANY[op.name], [], qubits, **when)
    elif op.name == "measure":
        target.add_gate(_MEASURE, [*qubits, *clbits], **when)
    else:
        entry = _RESET if op.name == "reset" else table[op.name]
        target.add_gate(entry(*[angle / pi for angle in op.params]) if op.params else entry, qubits, **when)


def _value(bits: Mapping[int, int]) -> int:
    """Return the number that bits have to have, the first one least significant."""
    return sum(bit << place for place, bit in enumerate(bits.values()))


def _append_other(target: Any, op: Operation, units: Sequence[Any] | None = None) -> None:  # noqa: ANN401 - a pytket Circuit
    if op.name == "barrier":
        target.add_barrier(list(op.qubits))
    elif op.name == "gphase" and not op.condition:
        target.add_phase(op.params[0] / pi)
    else:
        for bits in assignments(op.condition):
            append(target, op, _CONDITIONAL, bits, units)


_CONDITIONAL = {**GATES, "gphase": partial(Op.create, OpType.Phase)}
"""The table with a phase as an operation, which unlike a property of the circuit can have a condition."""
