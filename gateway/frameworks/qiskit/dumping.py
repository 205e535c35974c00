"""The shared circuit -> Qiskit (https://www.ibm.com/quantum/qiskit) 2, checked against 2.6.2.

Qiskit is little-endian, as we are: qubit ``k`` is ``QuantumCircuit.qubits[k]``, and clbits likewise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import reduce
from operator import attrgetter
from typing import Any

from qiskit.circuit import (
    Barrier,
    CircuitInstruction,
    Measure,
    QuantumCircuit,
    Reset,
)
from qiskit.circuit.classical import expr

from gateway.circuit import Circuit, Comparison, Condition, Operation
from gateway.circuit.conditions import bits_of
from gateway.circuit.lowering import lower
from gateway.frameworks.qiskit.gates import GATES, STANDARD
from gateway.frameworks.shared.operations import grouped

Make = Callable[[Operation], Any]
"""A function that returns Qiskit's instruction for an operation, or ``None`` to leave it out."""


def dump(circuit: Circuit) -> Any:  # noqa: ANN401 - a QuantumCircuit
    """Return a ``QuantumCircuit`` with a register ``q`` and, if there are clbits, a register ``c``.

    Conditions become ``if_test`` blocks, one for consecutive operations under the same condition.
    """
    return build(circuit.num_qubits, circuit.num_clbits, lower(circuit.operations, frozenset(GATES)), STANDARD, native)


def build(
    num_qubits: int, num_clbits: int, operations: Sequence[Operation], standard: Mapping[str, Any], other: Make
) -> Any:  # noqa: ANN401 - a QuantumCircuit
    """Return operations in gates of the table as a ``QuantumCircuit``.

    Args:
        num_qubits: the size of the register ``q``.
        num_clbits: the size of the register ``c``; there is no such register if it is 0.
        operations: the operations of the circuit, in order.
        standard: gate of the table -> Qiskit's number of the standard gate.
        other: makes the instruction of every other operation, except of an unconditional global phase.
    """
    target = QuantumCircuit(num_qubits, num_clbits)
    conditional = any(map(attrgetter("condition"), operations))
    for condition, block in grouped(operations) if conditional else [((), operations)]:
        if condition:
            _append_conditional(target, condition, block, other)
        else:
            _append(target, block, standard, other)
    return target


def _append(target: Any, operations: Iterable[Operation], standard: Mapping[str, Any], other: Make) -> None:  # noqa: ANN401
    """Append operations without conditions.

    ``CircuitInstruction.from_standard`` with ``_append(..., _standard_gate=True)`` is what Qiskit's own
    transpiler passes use; it spares the Python object and the checks of ``append`` (0.8 us a gate
    instead of 9.9). Both are internal, and a test holds the result equal to that of ``append``.
    """
    qubits, clbits, add = target.qubits, target.clbits, target._append  # noqa: SLF001
    from_standard = CircuitInstruction.from_standard
    for op in operations:
        where, number = [qubits[qubit] for qubit in op.qubits], standard.get(op.name)
        if number is not None:
            add(from_standard(number, where, op.params), _standard_gate=True)
        elif op.name == "gphase":
            target.global_phase += op.params[0]
        elif (instruction := other(op)) is not None:
            add(CircuitInstruction(instruction, where, [clbits[clbit] for clbit in op.clbits]))


def _append_conditional(target: Any, condition: Condition, operations: Iterable[Operation], other: Make) -> None:  # noqa: ANN401
    """Append operations under one condition as a block."""
    instructions = [(other(op), op) for op in operations]
    if all(instruction is None for instruction, _ in instructions):
        return
    with target.if_test(_test(target, condition)):
        for instruction, op in instructions:
            if instruction is not None:
                target.append(instruction, op.qubits, op.clbits)


def native(op: Operation) -> Any:  # noqa: ANN401 - qiskit.circuit.Instruction
    """Return a gate of the table, a measurement, a reset or a barrier as an instruction."""
    if op.name == "measure":
        return Measure()
    if op.name == "reset":
        return Reset()
    return Barrier(len(op.qubits)) if op.name == "barrier" else GATES[op.name](*op.params)


def _test(target: Any, condition: Condition) -> Any:  # noqa: ANN401 - a condition of if_test
    """Return a condition as a pair if it tests one bit or the whole register, else as an expression."""
    first = condition[0]
    if len(condition) == 1:
        if len(first.clbits) == 1:
            return target.clbits[first.clbits[0]], first.value if first.equal else 1 - first.value
        if first.equal and first.clbits == tuple(range(target.num_clbits)):
            return target.cregs[0], first.value
    return reduce(expr.logic_and, [_expression(target, comparison) for comparison in condition])


def _expression(target: Any, comparison: Comparison) -> Any:  # noqa: ANN401 - an Expr
    bits = [(target.clbits[clbit], bit) for clbit, bit in bits_of(comparison)]
    equal = reduce(expr.logic_and, [expr.lift(clbit) if bit else expr.logic_not(clbit) for clbit, bit in bits])
    return equal if comparison.equal else expr.logic_not(equal)
