"""How far the samples of any two simulators are apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from gateway.compare.record import Case, Row
from gateway.compare.statistics.outcomes import Sample, lookup
from gateway.compare.verdict import Standing, standing

MOST = 12
"""So many simulators at most are compared pair by pair; a larger table is not read."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two simulators.

    Args:
        distance: the total variation distance of their frequencies.
        differ: whether they contradict each other; ``None`` if that is not known, as of two that both differ.
    """

    distance: float
    differ: bool | None


@dataclass(frozen=True, slots=True)
class Pairs:
    """All pairs of the simulators that have counts.

    Args:
        names: the simulators, in the caller's order.
        pairs: (place, later place) -> pair.
        left_out: the number of simulators that the table has no place for.
    """

    names: tuple[str, ...]
    pairs: dict[tuple[int, int], Pair]
    left_out: int


def pairs(case: Case) -> Pairs:
    """Return the distances between the samples of a circuit, simulator by simulator."""
    everybody = [row for row in case.rows if row.counts]
    rows = _most_interesting(everybody)
    samples = [Sample.of(row.counts, case.num_clbits) for row in rows]
    found = {
        (first, second): Pair(_distance(samples[first], samples[second]), _differ(rows[first], rows[second]))
        for first, second in combinations(range(len(rows)), 2)
    }
    return Pairs(tuple(row.simulator for row in rows), found, len(everybody) - len(rows))


def _most_interesting(rows: Sequence[Row]) -> list[Row]:
    """Return all rows, or if they are too many, first those that do not agree."""
    ranked = sorted(range(len(rows)), key=lambda place: (standing(rows[place]) is Standing.AGREES, place))
    return [rows[place] for place in sorted(ranked[:MOST])]


def _distance(first: Sample, second: Sample) -> float:
    shares = first.counts / first.shots
    common = np.minimum(shares, lookup(second.codes, second.counts, first.codes) / second.shots)
    return max(1 - float(common.sum()), 0.0)


def _differ(first: Row, second: Row) -> bool | None:
    standings = {standing(first), standing(second)}
    if standings == {Standing.UNDECIDED}:
        return first.group != second.group
    if standings == {Standing.AGREES}:
        return False
    return True if standings == {Standing.AGREES, Standing.DIFFERS} else None
