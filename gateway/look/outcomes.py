"""Which outcomes are shown, and in what order.

Up to 16 are all shown, in numerical order, so that a histogram keeps its shape. Of more, 14 are: those that the caller
puts first, and then the most likely. What the others sum up to is told, so that a column still adds up.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, TypeVar

ALL_UP_TO = 16
ROWS = 14
"""The number of outcomes that are shown where there are more than :data:`ALL_UP_TO`."""

V = TypeVar("V", bound=float)


class Shown(NamedTuple):
    """The outcomes that are shown.

    Args:
        bitstrings: the outcomes, from top to bottom.
        others: the number of the others.
        rest: the sum of the values of the others.
    """

    bitstrings: list[str]
    others: int
    rest: float


def shown(values: Mapping[str, V], *, first: Sequence[str] = (), rows: int = ROWS, all_up_to: int = ALL_UP_TO) -> Shown:
    """Choose the outcomes to show, in a time that is proportional to their number.

    Args:
        values: bitstring -> shots or probability; all bitstrings have one width.
        first: outcomes that stand above the others if not all outcomes are shown, in this order.
        rows: how many are shown if not all are.
        all_up_to: up to how many all are shown, in numerical order.
    """
    if len(values) <= all_up_to:
        return Shown(sorted(values), 0, 0)
    leading = [bitstring for bitstring, _ in largest(values, rows)]
    bitstrings = list(dict.fromkeys([*first, *leading]))[:rows]
    return Shown(bitstrings, len(values) - len(bitstrings), rest(values, bitstrings))


def rest(values: Mapping[str, V], bitstrings: Sequence[str]) -> float:
    """Return the sum of all values but those of some bitstrings, which may be absent."""
    return max(_sum(values.values()) - _sum([values[bits] for bits in bitstrings if bits in values]), 0)


def largest(values: Mapping[str, V], number: int) -> list[tuple[str, V]]:
    """Return the entries with the largest values, the largest first and equal ones in order of the bitstring."""
    least = min(heapq.nlargest(number, values.values()), default=None)
    if least is None:
        return []
    above = sorted([item for item in values.items() if item[1] > least], key=lambda item: (-item[1], item[0]))
    level = heapq.nsmallest(number - len(above), [bits for bits, value in values.items() if value == least])
    return above + [(bits, least) for bits in level]


def scale_end(values: Sequence[float]) -> float:
    """Return where the scale of bars ends: the smallest round share of 1 that no value exceeds but by rounding."""
    most = max(values, default=0)
    if not 0 < most < 1:
        return 1.0
    exponent = math.floor(math.log10(most))
    ends = [float(f"{step}e{exponent}") for step in _STEPS]
    return next(end for end in ends if end * (1 + _ROUNDING) >= most)


_ROUNDING = 1e-9
_STEPS = (1, 1.2, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 6.5, 7, 8, 9, 10, 100)


def _sum(values: Collection[float]) -> float:
    """Return an exact sum of integers, and a correctly rounded one of floating-point numbers."""
    return sum(values) if all(isinstance(value, int) for value in values) else math.fsum(values)
