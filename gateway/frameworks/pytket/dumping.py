"""The shared circuit -> pytket (https://docs.quantinuum.com/tket), checked against pytket 2.18.5.

Angles and phases are in half-turns there. Qubit ``k`` is ``q[k]``, clbit ``k`` is ``c[k]``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import pi
from typing import Any

from pytket.circuit import Circuit as TketCircuit
from pytket.circuit import Op, OpType

from gateway.circuit import Circuit, Operation
from gateway.circuit.conditions import assignments
from gateway.circuit.lowering import lower
from gateway.errors import UnsupportedError
from gateway.frameworks.pytket.gates import GATES, MANY, NATIVE, Entry

LARGEST_VALUE = 2**32 - 1
"""The largest number that pytket compares bits with."""

_MEASURE, _RESET = Op.create(OpType.Measure), Op.create(OpType.Reset)


def dump(circuit: Circuit) -> Any:  # noqa: ANN401 - a pytket Circuit
    """Return a ``pytket.Circuit`` with a register ``q`` and, if there are clbits, a register ``c``.

    A condition that is not an assignment, such as ``!=`` of several clbits, becomes several assignments.
    """
    return build(circuit.num_qubits, circuit.num_clbits, lower(circuit.operations, NATIVE), GATES, _append_other)


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
    add = target.add_gate
    for op in operations:
        entry = table.get(op.name)
        if entry is None or op.condition:
            other(target, op)
        elif op.params:
            add(entry(*[angle / pi for angle in op.params]), op.qubits)
        else:
            add(entry, op.qubits)
    return target


def append(target: Any, op: Operation, table: Mapping[str, Entry], bits: Mapping[int, int]) -> None:  # noqa: ANN401
    """Append a gate, a measurement or a reset.

    Args:
        target: the pytket Circuit.
        op: the operation to append; ``bits`` take the place of its condition.
        table: gate of the table -> pytket's operation, or a function from half-turns to it.
        bits: clbit -> value that it has to have; empty for no condition.

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
    when = {"condition_bits": list(bits), "condition_value": value} if bits else {}
    if op.name in MANY:
        target.add_gate(MANY[op.name], [], list(op.qubits), **when)
    elif op.name == "measure":
        target.add_gate(_MEASURE, [*op.qubits, *op.clbits], **when)
    else:
        entry = _RESET if op.name == "reset" else table[op.name]
        target.add_gate(entry(*[angle / pi for angle in op.params]) if op.params else entry, list(op.qubits), **when)


def _value(bits: Mapping[int, int]) -> int:
    """Return the number that bits have to have, the first one least significant."""
    return sum(bit << place for place, bit in enumerate(bits.values()))


def _append_other(target: Any, op: Operation) -> None:  # noqa: ANN401 - a pytket Circuit
    if op.name == "barrier":
        target.add_barrier(list(op.qubits))
    elif op.name == "gphase" and not op.condition:
        target.add_phase(op.params[0] / pi)
    else:
        for bits in assignments(op.condition):
            append(target, op, _CONDITIONAL, bits)


_CONDITIONAL = {**GATES, "gphase": partial(Op.create, OpType.Phase)}
"""The table with a phase as an operation, which unlike a property of the circuit can have a condition."""
