"""Times two things in turns, and makes a ratio of the times.

Machines are noisy, and a disturbance only makes a run longer. Two things to compare therefore take turns in one
process (A B A B ...), so that both meet the same disturbances, and the ratio is that of the smallest times. Times are
CPU seconds of the process, all on one thread, which other processes disturb much less than the clock on the wall. Round
trips involve two processes and are short: the clock times them, many times, and their medians are compared.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from time import process_time
from typing import TypeVar

import msgspec

A = TypeVar("A")
B = TypeVar("B")


class Row(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the table.

    Args:
        benchmark: its name.
        case: what was measured.
        ours_s: seconds that the gateway took.
        other_s: seconds of what it is compared with; ``None`` for a figure that stands alone.
        ratio: of the two.
        target: what the ratio may be at most; ``None`` for a figure without one.
        error: why there is nothing to show.
    """

    benchmark: str
    case: str
    ours_s: float | None = None
    other_s: float | None = None
    ratio: float | None = None
    target: float | None = None
    error: str | None = None

    @property
    def verdict(self) -> str:
        """Return ``holds``, ``misses``, ``failed``, or nothing when there is no target."""
        if self.error is not None:
            return "failed"
        if self.target is None or self.ratio is None:
            return ""
        return "holds" if self.ratio <= self.target else "misses"


def compared(benchmark: str, case: str, ours_s: float, other_s: float, target: float) -> Row:
    """Return the row of a comparison."""
    return Row(benchmark=benchmark, case=case, ours_s=ours_s, other_s=other_s, ratio=ours_s / other_s, target=target)


def take_turns(
    ours: Callable[[], A],
    other: Callable[[], B],
    *,
    rounds: int,
    clock: Callable[[], float] = process_time,
    summary: Callable[[list[float]], float] = min,
    check: Callable[[A, B], None] | None = None,
) -> tuple[float, float]:
    """Time two functions in turns and return the summary of each one's seconds.

    Args:
        ours: one of them.
        other: the other one.
        rounds: how often each is called.
        clock: in seconds.
        summary: of the times of one function.
        check: gets what the two returned in the first round; outside of the timing.
    """
    freeze()
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds):
        mine = _timed(ours, clock, times[0])
        theirs = _timed(other, clock, times[1])
        if check is not None and number == 0:
            check(mine, theirs)
        del mine, theirs
    return summary(times[0]), summary(times[1])


def freeze() -> None:
    """Leave the collector in the state that a worker has: on, and spared what was imported."""
    gc.collect()
    gc.freeze()


def _timed(function: Callable[[], A], clock: Callable[[], float], times: list[float]) -> A:
    gc.collect()
    began = clock()
    returned = function()
    times.append(clock() - began)
    return returned
