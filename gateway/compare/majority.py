"""Who is right where there is no reference: the majority of independent simulators that agree with each other."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import combinations

import msgspec

from gateway.compare.record import Case, Reference, Row, Verdict


def without_reference(
    case: Case, rows: Sequence[Row], corrected: Sequence[Sequence[float]], rate: float
) -> Iterator[Row]:
    """Yield the rows with their groups and verdicts: the majority of independent simulators that agree is right.

    Simulators of one group agree with each other, pair by pair. An engine that is in several groups contradicts itself
    and is no witness for any of them. Whoever is outside the majority differs only if a majority contradicts him
    directly; if one is outside of whom that is not true, nothing is decided.
    """
    apart = _apart(case.reference, rows, corrected, rate)
    exact = {name for group in case.reference.others for name in group}
    groups = _groups([row for row in rows if not row.error and (row.counts or row.simulator in exact)], apart)
    number = {row.simulator: index for index, group in enumerate(groups) for row in group}
    majority = _majority(groups, apart)
    for row in rows:
        group = number.get(row.simulator)
        verdict = Verdict.UNDECIDED
        if row.error:
            verdict = Verdict.FAILED
        elif row.p_value is not None and row.p_value < rate:
            verdict = Verdict.DIFFERS
        elif majority and group is not None:
            verdict = Verdict.AGREES if group == 0 else Verdict.DIFFERS
        shown = _with_contradiction(row, rows, corrected, groups[0]) if majority and group else row
        yield msgspec.structs.replace(shown, group=group, verdict=verdict)


def _with_contradiction(
    row: Row, rows: Sequence[Row], corrected: Sequence[Sequence[float]], majority: Sequence[Row]
) -> Row:
    """Return the row with the smallest p-value of the tests that compare it with the majority."""
    members = {member.simulator for member in majority}
    values = [
        value
        for each, its in zip(rows, corrected, strict=True)
        for test, value in zip(each.tests, its, strict=True)
        if test.other and {each.simulator, test.other} - members == {row.simulator}
    ]
    return msgspec.structs.replace(row, p_value=min(values, default=row.p_value))


def _apart(
    reference: Reference, rows: Sequence[Row], corrected: Sequence[Sequence[float]], rate: float
) -> set[frozenset[str]]:
    """Return the pairs of simulators that contradict each other, by their exact results or by their samples."""
    exactly = {
        frozenset((one, other))
        for group, another in combinations(reference.others, 2)
        for one in group
        for other in another
    }
    return exactly | {
        frozenset((row.simulator, test.other))
        for row, values in zip(rows, corrected, strict=True)
        for test, value in zip(row.tests, values, strict=True)
        if test.other and value < rate
    }


def _groups(rows: Sequence[Row], apart: Collection[frozenset[str]]) -> list[list[Row]]:
    """Return the rows in groups of which no two members are apart, the most independent group first."""
    groups: list[list[Row]] = []
    for row in rows:
        fitting = [g for g in groups if not any(frozenset((row.simulator, member.simulator)) in apart for member in g)]
        if fitting:
            fitting[0].append(row)
        else:
            groups.append([row])
    return sorted(groups, key=lambda group: (len(_engines(group, groups)), len(group)), reverse=True)


def _majority(groups: Sequence[Sequence[Row]], apart: Collection[frozenset[str]]) -> bool:
    """Return whether the first group is the majority, and contradicts everybody else."""
    if not groups:
        return False
    enough = len({engine_of(row) for group in groups for row in group}) / 2
    engines = _engines(groups[0], groups)
    if len(engines) <= max(enough, 1):
        return False
    for outside in (row for group in groups[1:] for row in group):
        against = {
            engine_of(row) for row in groups[0] if frozenset((row.simulator, outside.simulator)) in apart
        } & engines
        if len(against) <= enough:
            return False
    return True


def _engines(group: Sequence[Row], groups: Sequence[Sequence[Row]]) -> set[str]:
    """Return the engines that are in this group alone."""
    elsewhere = {engine_of(row) for other in groups if other is not group for row in other}
    return {engine_of(row) for row in group} - elsewhere


def engine_of(row: Row) -> str:
    """Return what computes; a simulator of which that is not known is an engine of its own."""
    return row.engine or row.simulator
