"""Two comparisons put together.

Whichever is merged into the other, the verdicts are the same: what either has against a simulator stays. Counts are
added up and tested anew; a run that both have, known by its seed and its counts, is counted once. Runs of other numbers
of shots with the same seed have shots in common, too: the longest is added, and the others are tested by themselves.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from typing import TypeVar

import msgspec

from gateway.compare.closeness import largest_difference
from gateway.compare.matching import matched
from gateway.compare.record import Case, Record, Reference, Reproducer, Row, Run, Test, Verdict
from gateway.compare.referee import OF_SAMPLES_ALONE, TESTS_OF_A_SIMULATOR, against_each_other, decide
from gateway.compare.statistics import tests
from gateway.compare.statistics.detectable import detectable
from gateway.compare.statistics.outcomes import Distribution, Sample
from gateway.compare.statistics.reference import PreparedReference
from gateway.compare.verdict import Standing, standing
from gateway.errors import RequestError

COUNTED_ONCE = "a run that both merged comparisons have, with the same seed and the same counts, is counted once"
SHARES_SEEDS = "a run that shares seeds with a longer one is tested by itself, and not added"
DIFFERED_ONCE = "it differs in one of the merged comparisons, and agrees in another one"

_WITHOUT_RESULTS = (Standing.FAILED, Standing.REFUSED, Standing.UNFINISHED)
"""The standings of rows that have nothing but perhaps an error; of two, the first of these is kept."""


R = TypeVar("R", bound=Record)


def merged(one: R, other: Record) -> R:
    """Return both comparisons together; the stricter rate of false alarms holds.

    Raises:
        RequestError: what the two say of a circuit contradicts each other.
    """
    pairs = matched(*[[_with_runs(case, record.repeat) for case in record.cases] for record in (one, other)])
    rate = min(one.false_alarm_rate, other.false_alarm_rate)
    cases = [
        _merge_cases(first, second, rate / len(pairs)) if first and second else first or second
        for first, second in pairs
    ]
    return msgspec.structs.replace(
        one,
        cases=decide([_without_needless_runs(case, one.repeat) for case in cases if case], rate),
        false_alarm_rate=rate,
        created=min(one.created, other.created),
        interrupted=one.interrupted or other.interrupted,
    )


def _merge_cases(one: Case, other: Case, rate: float) -> Case:
    """Return one circuit's results of both comparisons, with its evidence tested anew."""
    if (one.num_qubits, one.num_clbits) != (other.num_qubits, other.num_clbits):
        raise RequestError(f"the sizes of {one.name} contradict each other", field="other")
    rows, names = _merged_rows(one, other)
    shots = min((_asked(row) for row in rows if row.runs), default=max(one.shots, other.shots))
    reproducers = [_renamed(found, names) for found in (*one.reproducers, *other.reproducers)]
    case = msgspec.structs.replace(
        one,
        reference=_common_reference(one, other),
        rows=tuple(rows),
        shots=shots,
        detectable=one.detectable or other.detectable,
        reproducers=tuple(found for place, found in enumerate(reproducers) if found not in reproducers[:place]),
    )
    return _tested(case, rate)


# ---------------------------------------------------------------------- the reference


def _common_reference(one: Case, other: Case) -> Reference:
    """Return the more precise reference of the two, shared by the witnesses of both.

    Raises:
        RequestError: they contradict each other.
    """
    first, second = one.reference, other.reference
    others = tuple(dict.fromkeys(first.others + second.others))
    if first.kind == second.kind == "none":
        return msgspec.structs.replace(first if first.note else second, others=others)
    if "none" in {first.kind, second.kind}:
        return msgspec.structs.replace(second if first.kind == "none" else first, others=others)
    distributions = [Distribution.of(case.reference.probabilities, _width(case)) for case in (one, other)]
    if largest_difference(*distributions) > max(first.tolerance, second.tolerance):
        raise RequestError(f"the references of {one.name} contradict each other", field="other")
    engines = {row.simulator: row.engine for case in (one, other) for row in case.rows if row.engine}
    witnesses = tuple(dict.fromkeys(first.witnesses + second.witnesses))
    counted = len({engines.get(name, name) for name in witnesses})
    independent = max(first.independent, second.independent, counted)
    better = max(first, second, key=lambda reference: (reference.independent, -reference.tolerance))
    return msgspec.structs.replace(
        min(first, second, key=lambda reference: reference.tolerance),
        kind="exact" if independent > 1 else "single",
        witnesses=witnesses,
        independent=independent,
        note=better.note if better.kind == "exact" or independent == 1 else "",
        others=others,
    )


def _width(case: Case) -> int:
    """Return the length of the bitstrings of a case's outcomes, which without measurement are those of its qubits."""
    if any(row.counts for row in case.rows):
        return case.num_clbits
    return len(next(iter(case.reference.probabilities), "0" * case.num_clbits))


# ---------------------------------------------------------------------- the rows


def _merged_rows(one: Case, other: Case) -> tuple[list[Row], dict[tuple[str, str], str]]:
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


def _renamed(found: Reproducer, names: dict[tuple[str, str], str]) -> Reproducer:
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
    runs = _without_shared_seeds((*one.runs, *new))
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


# ---------------------------------------------------------------------- the runs


def _with_runs(case: Case, repeat: int) -> Case:
    """Return the case with what its counts are made of: one run, where no merging has noted several."""
    rows = tuple(
        msgspec.structs.replace(row, runs=(Run(seed=row.seed, repeat=repeat, shots=case.shots, counts=row.counts),))
        if row.counts and not row.runs
        else row
        for row in case.rows
    )
    return msgspec.structs.replace(case, rows=rows)


def _without_shared_seeds(runs: Sequence[Run]) -> tuple[Run, ...]:
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


def _without_needless_runs(case: Case, repeat: int) -> Case:
    """Return the case without the runs of rows whose only run is that of a record that was never merged."""
    rows = tuple(
        msgspec.structs.replace(row, runs=())
        if [(run.shots, run.repeat) for run in row.runs] == [(case.shots, repeat)]
        else row
        for row in case.rows
    )
    return msgspec.structs.replace(case, rows=rows)


def _asked(row: Row) -> int:
    return sum(run.shots for run in row.runs if run.added)


# ---------------------------------------------------------------------- the evidence


def _tested(case: Case, rate: float) -> Case:
    """Return the case with the tests of its counts made anew, and with what its shots would have found.

    Args:
        case: with its evidence merged.
        rate: the probability that any right simulator is said to differ on this circuit.
    """
    width = _width(case)
    kept = [
        msgspec.structs.replace(
            row, tests=tuple(test for test in row.tests if test.name in OF_SAMPLES_ALONE), group=None
        )
        for row in case.rows
    ]
    samples = [Sample.of(row.counts, width) if row.counts else None for row in kept]
    if case.reference.kind == "none":
        return msgspec.structs.replace(case, rows=tuple(against_each_other(kept, samples)), detectable=None)
    reference = Distribution.of(case.reference.probabilities, width)
    prepared = tests.prepare(reference, error=case.reference.tolerance)
    rows = tuple(
        msgspec.structs.replace(
            row,
            tests=(*_tests_of_counts(row, sample, prepared), *row.tests),
            distance=tests.distance(sample, reference),
        )
        if sample is not None
        else row
        for row, sample in zip(kept, samples, strict=True)
    )
    if any(row.counts for row in rows):
        each = max(rate / (TESTS_OF_A_SIMULATOR * len(rows)), sys.float_info.min)
        case = msgspec.structs.replace(case, detectable=detectable(prepared, case.shots, rate=each))
    return msgspec.structs.replace(case, rows=rows)


def _tests_of_counts(row: Row, sample: Sample, reference: PreparedReference) -> list[Test]:
    """Return the tests of all counts that are added up, and those of each run that is not added."""
    apart = [Sample.of(run.counts, sample.width) for run in row.runs if run.counts and not run.added]
    return [test for each in (sample, *apart) for test in tests.against(each, reference)]
