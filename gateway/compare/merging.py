"""Two comparisons put together."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from gateway.compare.closeness import largest_difference
from gateway.compare.record import Case, Record, Reference, Row
from gateway.compare.referee import OF_SAMPLES_ALONE, against_each_other, decide
from gateway.compare.statistics import tests
from gateway.compare.statistics.outcomes import Distribution, Sample
from gateway.errors import RequestError

R = TypeVar("R", bound=Record)


def merged(one: R, other: Record) -> R:
    """Return both comparisons together; the stricter rate of false alarms holds."""
    cases = {case.sha256: case for case in one.cases}
    for case in other.cases:
        cases[case.sha256] = _merge_cases(cases[case.sha256], case) if case.sha256 in cases else case
    rate = min(one.false_alarm_rate, other.false_alarm_rate)
    return msgspec.structs.replace(
        one,
        cases=decide(list(cases.values()), rate),
        false_alarm_rate=rate,
        created=min(one.created, other.created),
        interrupted=one.interrupted or other.interrupted,
    )


def _merge_cases(one: Case, other: Case) -> Case:
    """Return one circuit's results of both comparisons, with its evidence tested anew."""
    reference = _common_reference(one, other)
    rows = {(row.simulator, row.version): row for row in one.rows}
    for row in other.rows:
        key = row.simulator, row.version
        rows[key] = _merge_rows(rows[key], row) if key in rows else row
    shots = max(sum(row.counts.values()) for row in rows.values()) if rows else one.shots
    case = msgspec.structs.replace(
        one,
        reference=reference,
        rows=tuple(_named_apart(list(rows.values()))),
        shots=max(shots, one.shots),
        reproducers=one.reproducers + tuple(item for item in other.reproducers if item not in one.reproducers),
    )
    return _tested(case)


def _common_reference(one: Case, other: Case) -> Reference:
    """Return the better reference of the two.

    Raises:
        RequestError: they contradict each other.
    """
    first, second = one.reference, other.reference
    if "none" in {first.kind, second.kind}:
        return second if first.kind == "none" else first
    distributions = [Distribution.of(reference.probabilities, _width(one)) for reference in (first, second)]
    if largest_difference(*distributions) > max(first.tolerance, second.tolerance):
        raise RequestError(f"the references of {one.name} contradict each other", field="other")
    return max(first, second, key=lambda reference: reference.independent)


def _width(case: Case) -> int:
    """Return the length of the bitstrings of a case's outcomes."""
    keys = [key for row in case.rows for key in row.counts] or list(case.reference.probabilities)
    return len(keys[0]) if keys else case.num_clbits


def _merge_rows(one: Row, other: Row) -> Row:
    if one.error or other.error:
        return other if one.error else one
    counts = dict(one.counts)
    for key, value in other.counts.items():
        counts[key] = counts.get(key, 0) + value
    differences = [row.exact_difference for row in (one, other) if row.exact_difference is not None]
    return msgspec.structs.replace(one, counts=counts, exact_difference=max(differences, default=None))


def _named_apart(rows: list[Row]) -> list[Row]:
    """Return the rows with their version in the name, where two versions of a simulator have the same name."""
    names = [row.simulator for row in rows]
    return [
        msgspec.structs.replace(row, simulator=f"{row.simulator} {row.version}")
        if names.count(row.simulator) > 1
        else row
        for row in rows
    ]


def _tested(case: Case) -> Case:
    """Return the case with the tests of its counts made anew."""
    width = _width(case)
    kept = [
        msgspec.structs.replace(row, tests=tuple(test for test in row.tests if test.name in OF_SAMPLES_ALONE))
        for row in case.rows
    ]
    samples = [Sample.of(row.counts, width) if row.counts else None for row in kept]
    if case.reference.kind == "none":
        return msgspec.structs.replace(case, rows=tuple(against_each_other(kept, samples)))
    reference = Distribution.of(case.reference.probabilities, width)
    prepared = tests.prepare(reference, error=case.reference.tolerance)
    rows = tuple(
        msgspec.structs.replace(
            row, tests=(*tests.against(sample, prepared), *row.tests), distance=tests.distance(sample, reference)
        )
        if sample is not None
        else row
        for row, sample in zip(kept, samples, strict=True)
    )
    return msgspec.structs.replace(case, rows=rows)
