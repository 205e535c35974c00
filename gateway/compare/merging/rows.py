"""The rows of two comparisons of one circuit: one for each simulator and version, with what either has against it."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence

import msgspec

from gateway.compare.merging.runs import without_shared_seeds
from gateway.compare.record import Case, Reproducer, Row, Verdict
from gateway.compare.verdict import Standing, standing

COUNTED_ONCE = "a run that both merged comparisons have, with the same seed and the same counts, is counted once"
SHARES_SEEDS = "a run that shares seeds with a longer one is tested by itself, and not added"
DIFFERED_ONCE = "it differs in one of the merged comparisons, and agrees in another one"

_WITHOUT_RESULTS = (Standing.FAILED, Standing.REFUSED, Standing.UNFINISHED)
"""The standings of rows that have nothing but perhaps an error; of two, the first of these is kept."""


def merged_rows(one: Case, other: Case) -> tuple[list[Row], dict[tuple[str, str], str]]:
    """Return a row for each simulator and version of either case, and (name, version) -> the name that it now has.

    A simulator that failed, or did not run, in one case and has results in the other one is as those say.
    """
    rows: dict[tuple[str, str], Row] = {}
    lacking: list[tuple[str, Row]] = []
    named = [pair for case in (one, other) for pair in zip(_names(case.rows), case.rows, strict=True)]
    for name, row in named:
        if standing(row) in _WITHOUT_RESULTS:
            lacking.append((name, row))
        else:
            key = name, row.version
            rows[key] = _merge_rows(rows[key], row) if key in rows else row
    finished = {name for name, _ in rows}
    for name, row in lacking:
        if name not in finished:
            rows[name, ""] = _worse_failure(rows[name, ""], row) if (name, "") in rows else row
    order = list(dict.fromkeys(name for name, _ in named))
    in_order = {}
    for key in sorted(rows, key=lambda key: order.index(key[0])):
        failures = [_failure(row) for name, row in lacking if row.error and name == key[0] and name in finished]
        in_order[key] = msgspec.structs.replace(_noting(rows[key], *failures), circuit=one.name)
    return _named_apart(in_order)


def _names(rows: Sequence[Row]) -> list[str]:
    """Return the names by which simulators were listed, without the version that an earlier merging added."""
    bare = [row.simulator.removesuffix(f" {row.version}") if row.version else row.simulator for row in rows]
    versions: dict[str, list[str]] = {}
    for name, row in zip(bare, rows, strict=True):
        versions.setdefault(name, []).append(row.version)
    added = {name for name, found in versions.items() if len(found) > 1 and len(set(found)) == len(found)}
    return [
        name if name in added and standing(row) not in _WITHOUT_RESULTS else row.simulator
        for name, row in zip(bare, rows, strict=True)
    ]


def _named_apart(rows: dict[tuple[str, str], Row]) -> tuple[list[Row], dict[tuple[str, str], str]]:
    """Return the rows with their version in the name, where two versions of a simulator have the same name."""
    number = Counter(name for name, _ in rows)
    names = {
        (name, version): f"{name} {version}".strip() if number[name] > 1 else row.simulator
        for (name, version), row in rows.items()
    }
    return [msgspec.structs.replace(row, simulator=names[key]) for key, row in rows.items()], names


def renamed(found: Reproducer, names: dict[tuple[str, str], str]) -> Reproducer:
    """Return a reproducer with the name that its simulator has in the merged rows."""
    old = found.simulator
    new = names.get((old, found.versions.get(old, "")), old)
    return msgspec.structs.replace(
        found,
        simulator=new,
        counts={new if name == old else name: counts for name, counts in found.counts.items()},
        versions={new if name == old else name: version for name, version in found.versions.items()},
    )


def _merge_rows(one: Row, other: Row) -> Row:
    """Return what both rows of a simulator with results say of it; the tests of its counts are still to be made."""
    known = {(run.seed, frozenset(run.counts.items())) for run in one.runs if run.seed is not None}
    new = [run for run in other.runs if (run.seed, frozenset(run.counts.items())) not in known]
    notes = [COUNTED_ONCE] if len(new) < len(other.runs) else []
    runs = without_shared_seeds((*one.runs, *new))
    notes += [] if all(run.added for run in runs) else [SHARES_SEEDS]
    notes += [DIFFERED_ONCE] if {one.verdict, other.verdict} == {Verdict.AGREES, Verdict.DIFFERS} else []
    worse = max(one, other, key=_excess)
    explained = max(one, other, key=lambda row: (bool(row.causes), len(row.rejected)))
    distances = [row.distance for row in (one, other) if row.distance is not None]
    row = msgspec.structs.replace(
        one,
        counts=dict(sum((Counter(run.counts) for run in runs if run.added), Counter[str]())),
        runs=runs,
        tests=tuple(dict.fromkeys(one.tests + other.tests)),
        exact_difference=worse.exact_difference,
        exact_tolerance=worse.exact_tolerance,
        fidelity=worse.fidelity,
        global_phase=worse.global_phase,
        distance=max(distances, default=None),
        causes=explained.causes,
        rejected=explained.rejected,
    )
    return _noting(row, *other.notes, *notes)


def _excess(row: Row) -> float:
    """Return how many times what rounding explains a simulator's exact results are off; -1 if it has none."""
    off = [] if row.exact_difference is None else [row.exact_difference]
    off += [] if row.fidelity is None else [1 - row.fidelity]
    return max(off, default=-1.0) / max(row.exact_tolerance or 0.0, sys.float_info.min) if off else -1.0


def _worse_failure(one: Row, other: Row) -> Row:
    first, second = sorted((one, other), key=lambda row: _WITHOUT_RESULTS.index(standing(row)))
    differing = second.error not in {"", first.error}
    return _noting(first, *second.notes, *([_failure(second)] if differing else []))


def _failure(row: Row) -> str:
    return f"in another comparison it {standing(row)}: {row.error}"


def _noting(row: Row, *notes: str) -> Row:
    return msgspec.structs.replace(row, notes=tuple(dict.fromkeys((*row.notes, *notes))))
