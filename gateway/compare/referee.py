"""The verdict on each simulator, from evidence: exact results first, then every shot, then seeds.

The evidence stands in the rows of a record, with p-values as the tests gave them. The decision is made of the record
alone, so that merged records are decided anew: all p-values of all simulators and circuits are corrected together by
Holm's method, and whoever has one below the stated rate of false alarms differs.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from gateway.circuit import Circuit
from gateway.compare.closeness import allowance, largest_difference, tolerance
from gateway.compare.majority import engine_of, without_reference
from gateway.compare.observing import Observation, Seeds
from gateway.compare.record import Case, Reference, Row, Test, Verdict
from gateway.compare.statistics import tests
from gateway.compare.statistics.correction import holm
from gateway.compare.statistics.outcomes import Sample
from gateway.compare.statistics.reference import PreparedReference
from gateway.compare.witnesses import OURS, Witness, fidelity_and_phase

OF_SAMPLES_ALONE = frozenset({"shots", "same-seed", "two-seeds", "two-runs"})
"""Tests for which no distribution is needed."""

TESTS_OF_A_SIMULATOR = 10
"""So many tests, or a few less, are corrected for each simulator; what would have been found follows from that."""

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
    return found if observation.seeds is None else [*found, *_tests_of_seeds(observation.seeds)]


def _tests_of_seeds(seeds: Seeds) -> list[Test]:
    found, name = [], "two-runs"
    if seeds.same is not None:
        name = "two-seeds"
        found.append(
            Test(name="same-seed", statistic=1.0, p_value=1.0)
            if seeds.repeats
            else _certain("same-seed", 0, "the same seed gave different counts")
        )
    if not seeds.differ and seeds.by_chance < 1:
        said = f"all {'runs' if seeds.same is None else 'seeds'} gave equal counts"
        found.append(Test(name=name, statistic=0.0, p_value=seeds.by_chance, points_at=said))
    else:
        found.append(Test(name=name, statistic=float(seeds.differ), p_value=1.0))
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
    sample = observation.sample()
    found = () if sample is None else tests.against(sample, reference)
    measured = far_from(row, observation, witness, circuit)
    return msgspec.structs.replace(measured, tests=(*found, *row.tests))


def far_from(row: Row, observation: Observation, witness: Witness, circuit: Circuit) -> Row:
    """Return the row with how far its simulator is from a witness, whatever that says of it."""
    changes: dict[str, object] = {}
    if observation.exact is not None:
        allowed = allowance(tolerance(circuit, observation.precision), witness.exact)
        changes["exact_difference"] = largest_difference(observation.exact, witness.exact)
        changes["exact_tolerance"] = max(allowed, witness.tolerance)
    if observation.state is not None and witness.state is not None:
        changes["fidelity"], changes["global_phase"] = fidelity_and_phase(observation.state, witness.state)
    sample = observation.sample()
    if sample is not None:
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
        return msgspec.structs.replace(case, rows=tuple(without_reference(case, rows, corrected, rate)))
    decided = [msgspec.structs.replace(row, verdict=_verdict(row, case.reference, rate)) for row in rows]
    if case.reference.kind == "single" and OURS not in case.reference.witnesses:
        decided = _of_one_witness(decided, case.reference, rate)
    return msgspec.structs.replace(case, rows=tuple(decided))


def _of_one_witness(rows: Sequence[Row], reference: Reference, rate: float) -> list[Row]:
    """Return the rows undecided, if the only one that has exact results is contradicted by as many as share them.

    Whoever contradicts itself differs all the same, as does the witness if its counts are not those of its own results.
    """
    agreeing = {engine_of(row) for row in rows if row.verdict is Verdict.AGREES}
    differing = {
        engine_of(row) for row in rows if row.verdict is Verdict.DIFFERS and not _contradicts_itself(row, rate)
    }
    if not differing or len(agreeing - differing) > max(len(differing | agreeing) / 2, 1):
        return list(rows)
    return [
        row
        if row.error
        or _contradicts_itself(row, rate)
        or (row.simulator in reference.witnesses and _is_unlikely(row, rate))
        else msgspec.structs.replace(row, verdict=Verdict.UNDECIDED)
        for row in rows
    ]


def _with_p_value(row: Row, corrected: Sequence[float]) -> Row:
    """Return the row with the smallest p-value of its own tests; those of pairs belong to both, and count in groups."""
    own = [value for test, value in zip(row.tests, corrected, strict=True) if not test.other]
    return msgspec.structs.replace(row, p_value=min(own, default=None))


def _verdict(row: Row, reference: Reference, rate: float) -> Verdict:
    if row.error:
        return Verdict.FAILED
    if _contradicts_itself(row, rate):
        return Verdict.DIFFERS
    differs = _is_unlikely(row, rate) or _has_other_exact_results(row, reference)
    if row.exact_difference is None and any(row.simulator in group for group in reference.others):
        return Verdict.UNDECIDED  # its exact results contradict others in a merged comparison, and are not known here
    ours = {name for group in reference.others if OURS in group for name in group}
    if ours:  # what our own simulator contradicts is not approved, and who may share its results is not accused
        accused = differs and row.exact_difference is not None and row.simulator not in ours
        return Verdict.DIFFERS if accused else Verdict.UNDECIDED
    if differs:
        return Verdict.DIFFERS
    return Verdict.AGREES if row.p_value is not None or row.exact_difference is not None else Verdict.UNDECIDED


def _is_unlikely(row: Row, rate: float) -> bool:
    return row.p_value is not None and row.p_value < rate


def _contradicts_itself(row: Row, rate: float) -> bool:
    """Return whether a simulator differs whatever the reference is: by its shots, or by its seeds."""
    return _is_unlikely(row, rate) and any(test.name in OF_SAMPLES_ALONE and test.p_value < rate for test in row.tests)


def _has_other_exact_results(row: Row, reference: Reference) -> bool:
    allowed = max(row.exact_tolerance or 0.0, reference.tolerance)
    if row.exact_difference is not None and not row.exact_difference <= allowed:  # nan is no agreement
        return True
    return row.fidelity is not None and not 1 - row.fidelity <= (row.exact_tolerance or 0.0)
