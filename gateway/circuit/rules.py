"""The rules that every circuit keeps, checked operation by operation."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from gateway.circuit.expressions import Expression, check_angle, check_classical, clbits_read
from gateway.circuit.gates import GATES
from gateway.circuit.operations import CONTROL, MAX_NOTE, MAX_NOTES, NON_GATES, CircuitData, Limits, Operation
from gateway.errors import CircuitInvalidError, LimitError

_MakeError = Callable[[str, str], CircuitInvalidError]

MAX_LOOPS = 50
"""Loops are nested at most so deep."""


def check_circuit(circuit: CircuitData, limits: Limits) -> bool:
    """Check a circuit from elsewhere (about 0.4 us an operation).

    Returns:
        Whether it has expressions.

    Raises:
        CircuitInvalidError: an operation breaks a rule; ``operation`` is its index.
        LimitError: the circuit is larger than ``limits``.
    """
    for what, requested, allowed in (
        ("qubits", circuit.num_qubits, limits.qubits),
        ("clbits", circuit.num_clbits + circuit.num_hidden, limits.clbits),
        ("operations", len(circuit.operations), limits.operations),
    ):
        if requested > allowed:
            msg = f"the circuit has {requested:,} {what}; at most {allowed:,} are accepted"
            raise LimitError(msg, limit=what, requested=requested, allowed=allowed)
    valid_shapes: set[tuple[object, ...]] = set()
    has_expressions = False
    isfinite = math.isfinite
    num_clbits = circuit.num_clbits + circuit.num_hidden
    for index, operation in enumerate(circuit.operations):
        shape = (operation.name, operation.qubits, operation.clbits, operation.condition, len(operation.params))
        if shape not in valid_shapes:
            check_operation(operation, circuit.num_qubits, num_clbits, index)
            valid_shapes.add(shape)
        try:
            for param in operation.params:
                if not isfinite(param):
                    raise _not_finite(operation, index)
        except TypeError:  # an expression
            has_expressions = True
            check_operation(operation, circuit.num_qubits, num_clbits, index)
    names = {shape[0] for shape in valid_shapes}
    if "set" in names:
        _check_written_numbers(circuit.operations)
    if not {"while", "end"}.isdisjoint(names):
        _check_loops(circuit.operations)
    _check_notes(circuit.notes)
    return has_expressions


def check_operation(op: Operation, num_qubits: int, num_clbits: int, index: int) -> None:
    """Check one operation of a circuit with these numbers of qubits and clbits.

    Raises:
        CircuitInvalidError: the operation breaks a rule; the message names its ``index``.
    """

    def error(rule: str, message: str) -> CircuitInvalidError:
        return CircuitInvalidError(f"operation {index}: {message}", rule=rule, operation=index)

    _check_shape(op, error)
    _check_indices("qubit", op.qubits, num_qubits, op, error)
    _check_indices("clbit", op.clbits, num_clbits, op, error)
    for param in op.params:
        if op.name == "set" or isinstance(param, Expression):
            _check_expression(op, num_clbits, error)
        elif not math.isfinite(param):
            raise _not_finite(op, index)
    for comparison in op.condition:
        if not comparison.clbits or not 0 <= comparison.value < 1 << len(comparison.clbits):
            rule = "condition"
            raise error(rule, f"{len(comparison.clbits)} clbits never equal {comparison.value}")
        _check_indices("clbit", comparison.clbits, num_clbits, op, error)


def check_numbers(num_qubits: int, num_clbits: int, num_hidden: int = 0) -> None:
    """Check the numbers of qubits, clbits and hidden clbits of a circuit.

    Raises:
        CircuitInvalidError: a number is negative, or not a whole number.
    """
    for name, value in (("qubits", num_qubits), ("clbits", num_clbits), ("hidden clbits", num_hidden)):
        if type(value) is not int or value < 0:
            msg = f"a circuit has a whole number of {name}, not {value!r}"
            raise CircuitInvalidError(msg, rule=f"number of {name}")


def _check_shape(op: Operation, error: _MakeError) -> None:
    """Check the name of an operation, and its numbers of qubits, clbits and parameters."""
    gate = GATES.get(op.name)
    if gate is not None:
        try:
            gate.check(len(op.qubits), len(op.params))
        except CircuitInvalidError as exc:
            raise error(str(exc.rule), exc.message) from None
    elif op.name not in NON_GATES:
        rule = "gate name"
        raise error(rule, f"there is no gate named {op.name!r}")
    elif op.name in CONTROL:
        _check_control(op, error)
        return
    elif op.params or (op.name != "barrier" and len(op.qubits) != 1):
        rule = "number of qubits"
        raise error(rule, f"{op.name} takes one qubit and no parameters")
    elif op.name == "barrier" and op.condition:
        rule = "condition"
        raise error(rule, "a barrier cannot be conditional")
    if len(op.clbits) != (op.name == "measure"):
        rule = "number of clbits"
        raise error(rule, f"{op.name} writes {'one clbit' if op.name == 'measure' else 'no clbit'}")


def _check_control(op: Operation, error: _MakeError) -> None:
    """Check the shape of an assignment, or of a mark of a loop."""
    if op.qubits or len(op.params) != (op.name == "set") or bool(op.clbits) != (op.name == "set"):
        needs = "takes a value and clbits, and no qubits" if op.name == "set" else "takes neither qubits nor clbits"
        rule = "control flow"
        raise error(rule, f"{op.name} {needs}")
    if op.name != "set" and bool(op.condition) != (op.name == "while"):
        rule = "condition"
        raise error(rule, "a loop needs a condition" if op.name == "while" else "the end of a loop has no condition")


def _check_expression(op: Operation, num_clbits: int, error: _MakeError) -> None:
    """Check the parameters of an operation that has an expression among them, or of a ``set``."""
    try:
        for param in op.params:
            if op.name == "set":
                check_classical(param)
                for clbit in clbits_read(param):
                    _check_indices("clbit", (clbit,), num_clbits, op, error)
            elif isinstance(param, Expression):
                check_angle(param)
    except CircuitInvalidError as exc:
        if exc.operation is not None:
            raise
        raise error(str(exc.rule), exc.message) from None


def _check_written_numbers(operations: Iterable[Operation]) -> None:
    """Check the number that each ``set`` writes, which those of the same shape need not share."""
    for index, op in enumerate(operations):
        if op.name == "set" and not isinstance(op.params[0], Expression):
            try:
                check_classical(op.params[0])
            except CircuitInvalidError as exc:
                msg = f"operation {index}: {exc.message}"
                raise CircuitInvalidError(msg, rule=exc.rule, operation=index) from None


def _check_loops(operations: Iterable[Operation]) -> None:
    """Check that each loop has its end, and that not too many stand in each other."""
    begins: list[int] = []
    for index, op in enumerate(operations):
        if op.name == "while":
            begins.append(index)
            if len(begins) > MAX_LOOPS:
                msg = f"operation {index}: loops are nested more than {MAX_LOOPS} deep"
                raise LimitError(msg, limit="nesting", requested=len(begins), allowed=MAX_LOOPS)
        elif op.name == "end":
            if not begins:
                msg = f"operation {index}: an end ends no loop"
                raise CircuitInvalidError(msg, rule="control flow", operation=index)
            begins.pop()
    if begins:
        msg = f"operation {begins[-1]}: the loop has no end"
        raise CircuitInvalidError(msg, rule="control flow", operation=begins[-1])


def _check_notes(notes: tuple[str, ...]) -> None:
    if len(notes) > MAX_NOTES or any(len(note) > MAX_NOTE for note in notes):
        msg = f"a circuit has at most {MAX_NOTES} notes of {MAX_NOTE} characters"
        raise CircuitInvalidError(msg, rule="notes")


def _check_indices(kind: str, indices: Iterable[int], bound: int, op: Operation, error: _MakeError) -> None:
    earlier: set[int] = set()
    for i in indices:
        if type(i) is not int or not 0 <= i < bound:
            rule = f"{kind} index"
            raise error(rule, f"{op.name} names {kind} {i!r}, but the circuit has {bound} {kind}s")
        if i in earlier:
            rule = f"distinct {kind}s"
            raise error(rule, f"{op.name} names {kind} {i} twice")
        earlier.add(i)


def _not_finite(op: Operation, index: int) -> CircuitInvalidError:
    msg = f"operation {index}: {op.name} has an angle that is not a finite number: {list(op.params)}"
    return CircuitInvalidError(msg, rule="finite angle", operation=index)
