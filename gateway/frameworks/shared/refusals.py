"""What the conversions refuse with."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.errors import CircuitInvalidError, UnsupportedError


class Unreadable(ValueError):  # noqa: N818 - reads as a fact; the reader adds where it stands
    """A condition that no conjunctions of comparisons can say."""


def refused(operation: int, what: str, why: str) -> UnsupportedError:
    """Return the error for an operation the shared circuit cannot say.

    Args:
        operation: its place in the framework's circuit, counting from 0.
        what: its name there.
        why: the shared circuit cannot say it.
    """
    return UnsupportedError(f"operation {operation}: {what}: {why}", feature=what)


def unbound(names: Iterable[str]) -> CircuitInvalidError:
    """Return the error for parameters without a value."""
    listed = ", ".join(sorted(names))
    return CircuitInvalidError(f"parameters have no value: {listed}; bind them first", rule="unbound parameters")
