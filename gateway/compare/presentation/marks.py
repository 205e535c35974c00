"""The marks before the words of a standing, and which circuits are shown."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.compare.record import Case
from gateway.compare.verdict import Standing, standing

MARKS = {
    Standing.AGREES: "agrees",
    Standing.DIFFERS: "differs",
    Standing.FAILED: "failed",
    Standing.REFUSED: "cannot",
    Standing.UNDECIDED: "",
    Standing.FINISHED: "finished",
    Standing.UNFINISHED: "queued",
}
"""The names of drawn marks; a group without a reference has none."""

CHARACTERS = {
    Standing.AGREES: "=",
    Standing.DIFFERS: "≠",
    Standing.FAILED: "!",
    Standing.REFUSED: "–",  # noqa: RUF001 - a dash, not a minus
    Standing.UNDECIDED: "",
    Standing.FINISHED: "✓",
    Standing.UNFINISHED: "…",
}
"""The same marks as characters."""

_NEWS = (
    Standing.DIFFERS,
    Standing.UNDECIDED,
    Standing.FAILED,
    Standing.UNFINISHED,
    Standing.FINISHED,
    Standing.REFUSED,
    Standing.AGREES,
)


def with_news(cases: Sequence[Case], most: int) -> list[tuple[int, Case]]:
    """Return at most so many circuits with their places, in their order; those without news are left out first."""

    def rank(item: tuple[int, Case]) -> int:
        return min([_NEWS.index(standing(row)) for row in item[1].rows], default=len(_NEWS))

    ranked = sorted(enumerate(cases), key=rank)[:most]
    return sorted(ranked, key=lambda item: item[0])
