"""The shared circuit -> Qiskit (https://www.ibm.com/quantum/qiskit) 2, checked against 2.6.2.

Qiskit is little-endian, as we are: qubit ``k`` is ``QuantumCircuit.qubits[k]``, and clbits likewise. A parameter is a
``Parameter`` of its name; ``theta[2]`` is an element of a ``ParameterVector``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from operator import attrgetter
from typing import Any

from qiskit.circuit import (
    Barrier,
    CircuitInstruction,
    ClassicalRegister,
    Clbit,
    Measure,
    Parameter,
    ParameterExpression,
    ParameterVector,
    QuantumCircuit,
    Reset,
)

from gateway.circuit import Circuit, Condition, Expression, Operation
from gateway.circuit.lowering import lower
from gateway.circuit.operations import CONTROL
from gateway.frameworks.qiskit.assignments import Assignments, Store
from gateway.frameworks.qiskit.gates import GATES, HIDDEN, STANDARD
from gateway.frameworks.shared.operations import grouped, sections
from gateway.frameworks.shared.parameters import translated, with_native_angles

LARGEST_VECTOR = 10_000
"""A parameter with an index beyond this is one by itself, and no element of a vector."""

Make = Callable[[Operation], Any]
"""A function that returns Qiskit's instruction for an operation, or ``None`` to leave it out."""


def dump(circuit: Circuit) -> Any:  # noqa: ANN401 - a QuantumCircuit
    """Return a ``QuantumCircuit`` with a register ``q`` and, if there are clbits, a register ``c``.

    Conditions become ``if_test`` blocks, one for consecutive operations under the same condition; loops become
    ``while_loop`` blocks and assignments stores. Hidden clbits are a register ``gateway_hidden`` after ``c``.

    Raises:
        UnsupportedError: Qiskit has no expression for what an assignment writes.
    """
    lowered = circuit.with_operations(lower(circuit.operations, frozenset(GATES)))
    operations = with_native_angles(lowered, _Parameters(circuit.parameters).expression).operations
    return build(circuit.num_qubits, circuit.num_clbits, operations, STANDARD, native, num_hidden=circuit.num_hidden)


def build(
    num_qubits: int,
    num_clbits: int,
    operations: Sequence[Operation],
    standard: Mapping[str, Any],
    other: Make,
    *,
    num_hidden: int = 0,
) -> Any:  # noqa: ANN401 - a QuantumCircuit
    """Return operations in gates of the table as a ``QuantumCircuit``.

    Args:
        num_qubits: the size of the register ``q``.
        num_clbits: the size of the register ``c``; there is no such register if it is 0.
        operations: the operations of the circuit, in order.
        standard: gate of the table -> Qiskit's number of the standard gate.
        other: makes the instruction of every other operation, except of an unconditional global phase.
        num_hidden: the number of hidden clbits, which are in a register of their own after ``c``.
    """
    target = QuantumCircuit(num_qubits, num_clbits)
    if num_hidden or not CONTROL.isdisjoint(map(attrgetter("name"), operations)):
        hidden = [Clbit() for _ in range(num_hidden)]
        assignments = Assignments([*target.clbits, *hidden])
        stores = {id(op): assignments.stores(op) for op in operations if op.name == "set"}
        if hidden or assignments.auxiliary:
            target.add_register(ClassicalRegister(bits=[*hidden, *assignments.auxiliary], name=HIDDEN))
        _append_structured(target, operations, other, assignments, stores)
        return target
    conditional = any(map(attrgetter("condition"), operations))
    assignments = Assignments(target.clbits)
    for condition, block in grouped(operations) if conditional else [((), operations)]:
        if condition:
            _append_conditional(target, condition, block, other, assignments)
        else:
            _append(target, block, standard, other)
    return target


def _append_structured(
    target: Any,  # noqa: ANN401 - a QuantumCircuit
    operations: Sequence[Operation],
    other: Make,
    assignments: Assignments,
    stores: Mapping[int, Sequence[Store]],
) -> None:
    """Append operations with loops and assignments among them.

    Args:
        target: Qiskit's circuit, perhaps while a block of it is being built.
        operations: the operations, in which each loop has its end.
        other: as in :func:`build`.
        assignments: writes the conditions.
        stores: ``id`` of a ``set`` -> what it writes.
    """
    for control, inner in sections(operations):
        if control is None:
            for condition, block in grouped(inner):
                _append_conditional(target, condition, block, other, assignments)
        elif control.name == "set":
            for clbit, value in stores[id(control)]:
                target.store(clbit, value)
        else:
            with target.while_loop(_test(target, control.condition, assignments)):
                _append_structured(target, inner, other, assignments, stores)


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


def _append_conditional(
    target: Any,  # noqa: ANN401 - a QuantumCircuit
    condition: Condition,
    operations: Iterable[Operation],
    other: Make,
    assignments: Assignments,
) -> None:
    """Append operations under one condition as a block, or just so if there is none."""
    instructions = [(instruction, op) for op in operations if (instruction := other(op)) is not None]
    if not instructions:
        return
    with target.if_test(_test(target, condition, assignments)) if condition else nullcontext():
        for instruction, op in instructions:
            target.append(instruction, op.qubits, op.clbits)


def native(op: Operation) -> Any:  # noqa: ANN401 - qiskit.circuit.Instruction
    """Return a gate of the table, a measurement, a reset or a barrier as an instruction."""
    if op.name == "measure":
        return Measure()
    if op.name == "reset":
        return Reset()
    return Barrier(len(op.qubits)) if op.name == "barrier" else GATES[op.name](*op.params)


def _test(target: Any, condition: Condition, assignments: Assignments) -> Any:  # noqa: ANN401 - a condition of if_test
    """Return a condition as a pair if it tests one bit or the whole register, else as an expression."""
    first = condition[0]
    if len(condition) == 1:
        if len(first.clbits) == 1:
            return target.clbits[first.clbits[0]], first.value if first.equal else 1 - first.value
        if first.equal and target.cregs and first.clbits == tuple(range(len(target.cregs[0]))):
            return target.cregs[0], first.value
    return assignments.truth_of(condition)


class _Parameters:
    """Makes Qiskit's parameters.

    Args:
        names: the names of all parameters of the circuit.
    """

    def __init__(self, names: Iterable[str]) -> None:
        sizes: dict[str, int] = {}
        for name in names:
            vector, bracket, index = name.removesuffix("]").partition("[")
            if bracket and int(index) < LARGEST_VECTOR:
                sizes[vector] = max(sizes.get(vector, 0), int(index) + 1)
        vectors = [ParameterVector(vector, size) for vector, size in sizes.items()]
        self._known: dict[str, Any] = {element.name: element for vector in vectors for element in vector}

    def expression(self, angle: Expression) -> Any:  # noqa: ANN401 - a ParameterExpression
        """Return an angle as an expression of Qiskit's."""
        return translated(angle, self._parameter, _FUNCTIONS)

    def _parameter(self, name: str) -> Any:  # noqa: ANN401 - a Parameter
        if name not in self._known:
            self._known[name] = Parameter(name)
        return self._known[name]


def _function(method: str, of_number: Callable[[float], float]) -> Callable[[Any], Any]:
    return lambda value: getattr(value, method)() if isinstance(value, ParameterExpression) else of_number(value)


_FUNCTIONS: Mapping[str, Callable[[Any], Any]] = {
    "sqrt": lambda value: value**0.5,
    "exp": _function("exp", math.exp),
    "log": _function("log", math.log),
    "sin": _function("sin", math.sin),
    "cos": _function("cos", math.cos),
    "tan": _function("tan", math.tan),
    "asin": _function("arcsin", math.asin),
    "acos": _function("arccos", math.acos),
    "atan": _function("arctan", math.atan),
}
"""Operator of an angle -> Qiskit's function; the others are operators of Python."""
