"""Two comparisons, circuit by circuit: one reference, the rows of both, and their counts tested anew."""

from __future__ import annotations

import sys
from typing import TypeVar

import msgspec

from gateway.compare.closeness import largest_difference
from gateway.compare.matching import matched
from gateway.compare.merging.rows import merged_rows, renamed
from gateway.compare.merging.runs import shots_asked_for, with_runs, without_needless_runs
from gateway.compare.record import Case, Record, Reference, Row, Test
from gateway.compare.referee import OF_SAMPLES_ALONE, TESTS_OF_A_SIMULATOR, against_each_other, decide
from gateway.compare.statistics import tests
from gateway.compare.statistics.detectable import detectable
from gateway.compare.statistics.outcomes import Distribution, Sample
from gateway.compare.statistics.reference import PreparedReference
from gateway.errors import RequestError

R = TypeVar("R", bound=Record)


def merged(one: R, other: Record) -> R:
    """Return both comparisons together; the stricter rate of false alarms holds.

    Raises:
        RequestError: what the two say of a circuit contradicts each other.
    """
    if one.noise != other.noise:
        raise RequestError("one of the comparisons has other noise than the other", field="other")
    pairs = matched(*[[with_runs(case, record.repeat) for case in record.cases] for record in (one, other)])
    rate = min(one.false_alarm_rate, other.false_alarm_rate)
    cases = [
        _merge_cases(first, second, rate / len(pairs)) if first and second else first or second
        for first, second in pairs
    ]
    return msgspec.structs.replace(
        one,
        cases=decide([without_needless_runs(case, one.repeat) for case in cases if case], rate),
        false_alarm_rate=rate,
        created=min(one.created, other.created),
        interrupted=one.interrupted or other.interrupted,
    )


def _merge_cases(one: Case, other: Case, rate: float) -> Case:
    """Return one circuit's results of both comparisons, with its evidence tested anew."""
    if (one.num_qubits, one.num_clbits) != (other.num_qubits, other.num_clbits):
        raise RequestError(f"the sizes of {one.name} contradict each other", field="other")
    rows, names = merged_rows(one, other)
    shots = min((shots_asked_for(row) for row in rows if row.runs), default=max(one.shots, other.shots))
    reproducers = [renamed(found, names) for found in (*one.reproducers, *other.reproducers)]
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
