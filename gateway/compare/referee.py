"""The verdict on each simulator, from evidence: exact results first, then every shot, then seeds.

The evidence stands in the rows of a record, with p-values as the tests gave them. The decision is made of the record
alone, so that merged records are decided anew: all p-values of all simulators and circuits are corrected together by
Holm's method, and whoever has one below the stated rate of false alarms differs.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from gateway.circuit import Circuit
from gateway.compare.closeness import largest_difference, tolerance
from gateway.compare.observing import Observation
from gateway.compare.record import Case, Row, Test, Verdict
from gateway.compare.statistics import tests
from gateway.compare.statistics.correction import holm
from gateway.compare.statistics.outcomes import Sample
from gateway.compare.statistics.reference import PreparedReference
from gateway.compare.witnesses import Witness, fidelity_and_phase

CERTAIN = 0.0
"""The p-value of what chance cannot do at all."""


def row_of(observation: Observation, circuit: str, shots: int, tests_: Sequence[Test] = ()) -> Row:
    """Return the row of an observation, without a verdict."""
    sample = observation.sample()
    provenance = observation.provenance
    return Row(
        simulator=observation.simulator,
        circuit=circuit,
        version=observation.version,
        engine=observation.engine,
        tests=(*tests_, *_tests_of_runs(observation, sample, shots)),
        counts={} if sample is None else sample.to_dict(),
        error=observation.error,
        notes=observation.notes,
        seed=None if provenance is None else provenance.seed,
        timings=observation.timings,
        peak_memory_bytes=observation.peak_memory_bytes,
        provenance=provenance,
    )


def _tests_of_runs(observation: Observation, sample: Sample | None, shots: int) -> list[Test]:
    """Return what can be said without any distribution: of the number of shots, and of seeds."""
    found = []
    if sample is not None and sample.shots != shots:
        found.append(_certain("shots", sample.shots, f"{sample.shots:,} shots where {shots:,} were asked for"))
    seeds = observation.seeds
    if seeds is not None:
        found.append(
            Test(name="same-seed", statistic=float(seeds.repeats), p_value=1.0)
            if seeds.repeats
            else _certain("same-seed", 0, "the same seed gave different counts")
        )
        if not seeds.differ and seeds.by_chance < 1:
            found.append(
                Test(name="two-seeds", statistic=0.0, p_value=seeds.by_chance, points_at="all seeds gave equal counts")
            )
        else:
            found.append(Test(name="two-seeds", statistic=float(seeds.differ), p_value=1.0))
    return found


def _certain(name: str, statistic: float, points_at: str) -> Test:
    return Test(name=name, statistic=statistic, p_value=CERTAIN, points_at=points_at)


def against_reference(
    row: Row, observation: Observation, reference: PreparedReference, witness: Witness, circuit: Circuit
) -> Row:
    """Return the row with its evidence against the reference added.

    Args:
        row: of the simulator.
        observation: what it gave.
        reference: the distribution of the witness.
        witness: whose distribution is the reference.
        circuit: what was run.
    """
    changes: dict[str, object] = {}
    if observation.exact is not None:
        allowed = tolerance(circuit, observation.precision)
        changes["exact_difference"] = largest_difference(observation.exact, witness.exact)
        changes["exact_tolerance"] = max(allowed, witness.tolerance)
    if observation.state is not None and witness.state is not None:
        changes["fidelity"], changes["global_phase"] = fidelity_and_phase(observation.state, witness.state)
    sample = observation.sample()
    if sample is not None:
        changes["tests"] = (*tests.against(sample, reference), *row.tests)
        changes["distance"] = tests.distance(sample, witness.exact)
    elif observation.exact is not None:
        changes["distance"] = tests.distance(observation.exact, witness.exact)
    return msgspec.structs.replace(row, **changes)


def against_each_other(rows: Sequence[Row], samples: Sequence[Sample | None]) -> list[Row]:
    """Return the rows with two-sample tests of every pair added, each to the later one of the two."""
    extended = []
    for index, (row, sample) in enumerate(zip(rows, samples, strict=True)):
        pairs = [
            msgspec.structs.replace(test, other=rows[earlier].simulator)
            for earlier, other in enumerate(samples[:index])
            if sample is not None and other is not None
            for test in tests.between(sample, other)
        ]
        extended.append(msgspec.structs.replace(row, tests=(*pairs, *row.tests)))
    return extended


# ---------------------------------------------------------------------- the decision


def decide(cases: Sequence[Case], false_alarm_rate: float) -> tuple[Case, ...]:
    """Return the cases with the verdict and the corrected p-value of each row.

    Args:
        cases: rows with their evidence.
        false_alarm_rate: the probability that any right simulator of all cases is said to differ.
    """
    raw = [test.p_value for case in cases for row in case.rows for test in row.tests]
    corrected = iter(holm(raw))
    return tuple(
        _decide_case(case, [[next(corrected) for _ in row.tests] for row in case.rows], false_alarm_rate)
        for case in cases
    )


def _decide_case(case: Case, corrected: list[list[float]], rate: float) -> Case:
    rows = [_with_p_value(row, values) for row, values in zip(case.rows, corrected, strict=True)]
    if case.reference.kind == "none":
        rows = _in_groups(rows, corrected, rate)
    case = msgspec.structs.replace(case, rows=tuple(rows))
    return msgspec.structs.replace(
        case, rows=tuple(msgspec.structs.replace(row, verdict=_verdict(row, case, rate)) for row in rows)
    )


def _with_p_value(row: Row, corrected: Sequence[float]) -> Row:
    """Return the row with the smallest p-value of its own tests; those of pairs belong to both, and count in groups."""
    own = [value for test, value in zip(row.tests, corrected, strict=True) if not test.other]
    return msgspec.structs.replace(row, p_value=min(own, default=None))


def _verdict(row: Row, case: Case, rate: float) -> Verdict:
    if row.error:
        return Verdict.FAILED
    if row.p_value is not None and row.p_value < rate:
        return Verdict.DIFFERS
    if case.reference.kind == "none":
        return _verdict_of_group(row, case.rows)
    if row.exact_difference is not None and row.exact_difference > max(
        row.exact_tolerance or 0.0, case.reference.tolerance
    ):
        return Verdict.DIFFERS
    if row.fidelity is not None and 1 - row.fidelity > (row.exact_tolerance or 0.0):
        return Verdict.DIFFERS
    return Verdict.AGREES if row.p_value is not None or row.exact_difference is not None else Verdict.UNDECIDED


# ---------------------------------------------------------------------- without a reference


def _in_groups(rows: Sequence[Row], corrected: Sequence[Sequence[float]], rate: float) -> list[Row]:
    """Return the rows with the number of their group; simulators of one group agree with each other, pair by pair."""
    apart = {
        frozenset((row.simulator, test.other))
        for row, values in zip(rows, corrected, strict=True)
        for test, value in zip(row.tests, values, strict=True)
        if test.other and value < rate
    }
    groups: list[list[Row]] = []
    for row in rows:
        if not row.counts:
            continue
        fitting = [g for g in groups if not any(frozenset((row.simulator, member.simulator)) in apart for member in g)]
        if fitting:
            fitting[0].append(row)
        else:
            groups.append([row])
    groups.sort(key=lambda group: (_engines(group), len(group)), reverse=True)
    number = {row.simulator: index for index, group in enumerate(groups) for row in group}
    return [msgspec.structs.replace(row, group=number.get(row.simulator)) for row in rows]


def _verdict_of_group(row: Row, rows: Sequence[Row]) -> Verdict:
    """Return the verdict without a reference: the majority of independent simulators that agree is right."""
    if row.group is None:
        return Verdict.UNDECIDED
    present = [other for other in rows if other.group is not None]
    largest = [other for other in present if other.group == 0]
    has_majority = 2 * _engines(largest) > _engines(present) and len(largest) > 1
    if not has_majority:
        return Verdict.UNDECIDED
    return Verdict.AGREES if row.group == 0 else Verdict.DIFFERS


def _engines(rows: Sequence[Row]) -> int:
    return len({row.engine or row.simulator for row in rows})
