"""Delta debugging: leaves out of a list what a property does not need."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")

Test = Callable[[list[list[T]]], list[bool]]
"""A function that says for each of several lists whether it has the property."""


def minimise(items: Sequence[T], test: Test[T], keep: Callable[[list[T]], None]) -> list[T]:
    """Return a shorter list that has the property, from which no single item can be left out.

    This follows ddmin (Zeller and Hildebrandt, Simplifying and Isolating Failure-Inducing Input, 2002): it leaves out
    halves, then quarters, and so on down to single items. All chunks of one size are tested together, and those that
    can be left out one by one are then left out all at once, or one after the other if they cannot.

    Args:
        items: a list that has the property.
        test: tells which of some lists have it.
        keep: called with every shorter list that has it, so that an interrupted search is not lost.
    """
    current, size = list(items), max(1, len(items) // 2)
    while current:
        shorter = _without_chunks(current, size, test, keep)
        if len(shorter) == len(current):
            if size == 1:
                break
            size = max(1, size // 2)
        current = shorter
        size = max(1, min(size, len(current) // 2))
    return current


def _without_chunks(items: list[T], size: int, test: Test[T], keep: Callable[[list[T]], None]) -> list[T]:
    """Return the list without those of its chunks that can be left out."""
    chunks = [range(start, min(start + size, len(items))) for start in range(0, len(items), size)]
    verdicts = test([_without(items, [chunk]) for chunk in chunks])
    dispensable = [chunk for chunk, verdict in zip(chunks, verdicts, strict=True) if verdict]
    if not dispensable:
        return items
    left_out = dispensable[:1]
    keep(_without(items, left_out))
    if len(dispensable) > 1 and test([_without(items, dispensable)])[0]:
        left_out = dispensable
    else:
        for chunk in dispensable[1:]:
            if test([_without(items, [*left_out, chunk])])[0]:
                left_out.append(chunk)
    shorter = _without(items, left_out)
    keep(shorter)
    return shorter


def _without(items: list[T], chunks: list[range]) -> list[T]:
    """Return the list without the items at some indices."""
    indices = {index for chunk in chunks for index in chunk}
    return [item for index, item in enumerate(items) if index not in indices]
