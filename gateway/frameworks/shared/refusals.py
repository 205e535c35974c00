"""The errors with which conversions refuse a circuit."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.circuit.operations import CONTROL, CircuitData
from gateway.errors import CircuitInvalidError, UnsupportedError


class Unreadable(ValueError):  # noqa: N818 - reads as a fact; the caller adds the place
    """A condition or a classical value that the shared circuit cannot express."""


def refused(operation: int, what: str, why: str) -> UnsupportedError:
    """Return the error for an operation that the shared circuit cannot express.

    Args:
        operation: the index of the operation in the framework's circuit, counted from 0.
        what: the name of the operation in the framework.
        why: the reason, as the end of the sentence.
    """
    return UnsupportedError(f"operation {operation}: {what}: {why}", feature=what)


def unbound(names: Iterable[str]) -> CircuitInvalidError:
    """Return the error for parameters without a value."""
    sorted_names = ", ".join(sorted(names))
    return CircuitInvalidError(f"parameters have no value: {sorted_names}; bind them first", rule="unbound parameters")


def refuse_control_flow(circuit: CircuitData, whom: str) -> None:
    """Refuse a circuit with loops or assignments for a format that has none.

    Raises:
        UnsupportedError: the circuit has one; the message names the first.
    """
    for index, op in enumerate(circuit.operations):
        if op.name in CONTROL:
            msg = f"operation {index} ({op}): {whom} cannot express it"
            raise UnsupportedError(msg, feature="control flow", operation=index)
