"""The runs that merged counts are made of: each counts once, and those that share seeds are not added up."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from gateway.compare.record import Case, Row, Run


def with_runs(case: Case, repeat: int) -> Case:
    """Return the case with what its counts are made of: one run, where no merging has noted several."""
    rows = tuple(
        msgspec.structs.replace(row, runs=(Run(seed=row.seed, repeat=repeat, shots=case.shots, counts=row.counts),))
        if row.counts and not row.runs
        else row
        for row in case.rows
    )
    return msgspec.structs.replace(case, rows=rows)


def without_shared_seeds(runs: Sequence[Run]) -> tuple[Run, ...]:
    """Return the runs, of which the longest of those that share seeds is to be added, and the others are not.

    Runs of the same seeds and shots that gave different counts have nothing in common: the seed decided nothing.
    """
    order = sorted(range(len(runs)), key=lambda place: (-runs[place].shots, runs[place].seed or 0, runs[place].repeat))
    added: list[int] = []
    for place in order:
        if not any(_share_seeds(runs[place], runs[other]) for other in added):
            added.append(place)
    return tuple(msgspec.structs.replace(run, added=place in added) for place, run in enumerate(runs))


def _share_seeds(one: Run, other: Run) -> bool:
    if one.seed is None or other.seed is None:
        return False
    alike = (one.seed, one.repeat, one.shots) == (other.seed, other.repeat, other.shots)
    return not alike and one.seed < other.seed + other.repeat and other.seed < one.seed + one.repeat


def without_needless_runs(case: Case, repeat: int) -> Case:
    """Return the case without the runs of rows whose only run is that of a record that was never merged."""
    rows = tuple(
        msgspec.structs.replace(row, runs=())
        if [(run.shots, run.repeat) for run in row.runs] == [(case.shots, repeat)]
        else row
        for row in case.rows
    )
    return msgspec.structs.replace(case, rows=rows)


def shots_asked_for(row: Row) -> int:
    """Return the shots of the runs that the counts of a row are the sum of."""
    return sum(run.shots for run in row.runs if run.added)
