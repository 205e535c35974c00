"""Puts long chains of operators into expressions that are not deep."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

from gateway.circuit.expressions import Expression

V = TypeVar("V")
"""The type of values, of which an expression is one."""

ASSOCIATIVE = frozenset({"&", "|", "^", "and", "or"})
"""Operators of classical values whose chains may be put together in any way."""


def joined(op: str, values: Sequence[V]) -> V:
    """Return values under an operator, one after the other, as an expression whose depth is the logarithm."""
    if len(values) == 1:
        return values[0]
    half = len(values) // 2
    both = (joined(op, values[:half]), joined(op, values[half:]))
    return cast("V", Expression(op, cast("tuple[int | float | Expression, ...]", both)))


def links(node: Any, operands: Callable[[Any], Sequence[Any] | None]) -> list[Any]:  # noqa: ANN401 - of a framework
    """Return the links of a chain of one operator, in order.

    Args:
        node: the whole chain.
        operands: returns the operands of a node with the chain's operator, and ``None`` for any other.
    """
    found: list[Any] = []
    waiting = [node]
    while waiting:
        inner = operands(waiting[-1])
        if inner is None:
            found.append(waiting.pop())
        else:
            waiting[-1:] = reversed(inner)
    return found
