"""The rules that every circuit keeps, checked operation by operation."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from gateway.circuit.gates import GATES
from gateway.circuit.operations import NON_GATES, CircuitData, Limits, Operation
from gateway.errors import CircuitInvalidError, LimitError

_MakeError = Callable[[str, str], CircuitInvalidError]


def check_circuit(circuit: CircuitData, limits: Limits) -> None:
    """Check a circuit from elsewhere (about 0.4 us an operation).

    Raises:
        CircuitInvalidError: an operation breaks a rule; ``operation`` is its index.
        LimitError: the circuit is larger than ``limits``.
    """
    for what, requested, allowed in (
        ("qubits", circuit.num_qubits, limits.qubits),
        ("clbits", circuit.num_clbits, limits.clbits),
        ("operations", len(circuit.operations), limits.operations),
    ):
        if requested > allowed:
            msg = f"the circuit has {requested:,} {what}; at most {allowed:,} are accepted"
            raise LimitError(msg, limit=what, requested=requested, allowed=allowed)
    valid_shapes: set[tuple[object, ...]] = set()
    isfinite = math.isfinite
    for index, operation in enumerate(circuit.operations):
        shape = (operation.name, operation.qubits, operation.clbits, operation.condition, len(operation.params))
        if shape not in valid_shapes:
            check_operation(operation, circuit.num_qubits, circuit.num_clbits, index)
            valid_shapes.add(shape)
        for param in operation.params:
            if not isfinite(param):
                raise _not_finite(operation, index)


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
        if not math.isfinite(param):
            raise _not_finite(op, index)
    for comparison in op.condition:
        if not comparison.clbits or not 0 <= comparison.value < 1 << len(comparison.clbits):
            rule = "condition"
            raise error(rule, f"{len(comparison.clbits)} clbits never equal {comparison.value}")
        _check_indices("clbit", comparison.clbits, num_clbits, op, error)


def check_numbers(num_qubits: int, num_clbits: int) -> None:
    """Check the numbers of qubits and clbits of a circuit.

    Raises:
        CircuitInvalidError: a number is negative, or not a whole number.
    """
    for name, value in (("qubits", num_qubits), ("clbits", num_clbits)):
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
    elif op.params or (op.name != "barrier" and len(op.qubits) != 1):
        rule = "number of qubits"
        raise error(rule, f"{op.name} takes one qubit and no parameters")
    elif op.name == "barrier" and op.condition:
        rule = "condition"
        raise error(rule, "a barrier cannot be conditional")
    if len(op.clbits) != (op.name == "measure"):
        rule = "number of clbits"
        raise error(rule, f"{op.name} writes {'one clbit' if op.name == 'measure' else 'no clbit'}")


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
