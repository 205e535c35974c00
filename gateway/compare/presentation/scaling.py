"""How times grow with the size or the depth of circuits: the curves of a comparison of several circuits."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from gateway.compare.record import Case, Record, Spread

FEWEST = 3
"""A series has at least so many circuits."""


@dataclass(frozen=True, slots=True)
class Curve:
    """The times of one simulator.

    Args:
        simulator: its name.
        sizes: where it has times, ascending.
        seconds: the time of a run at each of these sizes.
    """

    simulator: str
    sizes: tuple[int, ...]
    seconds: tuple[Spread, ...]


@dataclass(frozen=True, slots=True)
class Scaling:
    """The curves of all simulators.

    Args:
        unit: what grows: ``qubits``, or ``layers`` for the depth.
        curves: one for each simulator that has times, in the caller's order.
    """

    unit: str
    curves: tuple[Curve, ...]


def scaling(record: Record) -> Scaling | None:
    """Return the curves if the circuits are a series: one grows from each to the next, and so does its work.

    What grows is the number of qubits, or with the same number of qubits the depth.
    """
    if len(record.cases) < FEWEST:
        return None
    for unit, size in (("qubits", _qubits), ("layers", _depth)):
        cases = sorted(record.cases, key=size)
        grows = all(size(first) < size(second) for first, second in pairwise(cases))
        works = all(first.operations <= second.operations for first, second in pairwise(cases))
        if grows and works and (size is _qubits or len(set(map(_qubits, cases))) == 1):
            names = dict.fromkeys(row.simulator for row in record.rows)
            curves = [_curve(name, [(size(case), case) for case in cases]) for name in names]
            kept = tuple(curve for curve in curves if len(curve.sizes) > 1)
            return Scaling(unit, kept) if kept else None
    return None


def _qubits(case: Case) -> int:
    return case.num_qubits


def _depth(case: Case) -> int:
    return case.depth


def _curve(name: str, cases: list[tuple[int, Case]]) -> Curve:
    points = [
        (size, row.timings["total"])
        for size, case in cases
        for row in case.rows
        if row.simulator == name and "total" in row.timings
    ]
    return Curve(name, tuple(size for size, _ in points), tuple(seconds for _, seconds in points))
