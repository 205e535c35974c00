"""Finds out why simulators differ: causes, and the smallest circuits that show it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from gateway.backends.base import Backend
from gateway.circuit import Circuit
from gateway.compare.diagnosis import Observations, diagnose
from gateway.compare.evidence import Evidence
from gateway.compare.observing import Observation
from gateway.compare.progress import Event, Progress, Stage
from gateway.compare.record import Case, Cause, Reproducer, Row, Verdict
from gateway.compare.reproducer import reduce
from gateway.compare.statistics.outcomes import Distribution, Sample
from gateway.compare.witnesses import OURS
from gateway.counts import Counts
from gateway.errors import GatewayError, RequestError

REDUCING_S = 60.0
"""How long the reproducers of a comparison may take together; a circuit that is smaller by then is kept as it is."""


@dataclass(slots=True)
class Explaining:
    """The explanations of one comparison.

    Args:
        backends: name -> backend.
        board: hears of the progress.
        deadline: on the monotonic clock, of the whole comparison.
        interrupted: whether Ctrl-C ended it early.
    """

    backends: Mapping[str, Backend]
    board: Progress
    deadline: float
    interrupted: bool = False

    def run(self, cases: Sequence[Case], evidence: Sequence[Evidence], *, reproduce: bool) -> tuple[Case, ...]:
        """Return the cases with the causes of differences, and their reproducers; Ctrl-C leaves out the rest."""
        explained = list(cases)
        try:
            for index, item in enumerate(evidence):
                explained[index] = self._with_causes(explained[index], item)
            deadline = min(time.monotonic() + REDUCING_S, self.deadline)
            for index, item in enumerate(evidence if reproduce else ()):
                explained[index] = self._with_reproducers(explained[index], item, deadline)
        except KeyboardInterrupt:
            self.interrupted = True
        return tuple(explained)

    def _with_causes(self, case: Case, evidence: Evidence) -> Case:
        rows = []
        for row in case.rows:
            causes: tuple[Cause, ...] = ()
            observation = evidence.observations[row.simulator]
            sample = observation.sample()
            if row.verdict is Verdict.DIFFERS and sample is not None:
                self.board.update(Event(circuit=case.name, stage=Stage.DIAGNOSING))
                causes = diagnose(
                    evidence.circuit.circuit,
                    _observations(observation, sample, row, evidence.shots),
                    reference=evidence.reference,
                    registers=evidence.circuit.registers,
                )
            rows.append(msgspec.structs.replace(row, causes=causes))
        return msgspec.structs.replace(case, rows=tuple(rows))

    def _with_reproducers(self, case: Case, evidence: Evidence, deadline: float) -> Case:
        reproducers: list[Reproducer] = []
        rows = []
        for row in case.rows:
            left_s = deadline - time.monotonic()
            if row.verdict is not Verdict.DIFFERS or left_s <= 0:
                rows.append(row)
                continue
            self.board.update(Event(circuit=case.name, stage=Stage.REDUCING))
            try:
                reproducers.append(self._reproducer(row, case, evidence, left_s))
                rows.append(_narrowed(row, reproducers[-1]))
            except GatewayError as exc:  # the difference does not show again, as with a fault that comes and goes
                rows.append(msgspec.structs.replace(row, notes=(*row.notes, f"it was not reduced: {exc.message}")))
        return msgspec.structs.replace(case, rows=tuple(rows), reproducers=tuple(reproducers))

    def _reproducer(self, row: Row, case: Case, evidence: Evidence, seconds: float) -> Reproducer:
        """Return the smallest circuit on which a simulator differs from our own, or else from one that agrees.

        Raises:
            GatewayError: the circuit cannot be reduced.
        """
        name, other = OURS, None
        if OURS not in case.reference.witnesses:
            agreeing = [other.simulator for other in case.rows if other.verdict is Verdict.AGREES]
            if not agreeing:
                raise RequestError("nobody agrees, with whom it could be compared", field="backends")
            name, other = agreeing[0], self.backends[agreeing[0]]
        backend, names = self.backends[row.simulator], (row.simulator, name)
        found = reduce(evidence.circuit.circuit, backend, other, names=names, seconds=seconds)
        return msgspec.structs.replace(found, circuit=case.name, causes=_causes_of(found, row))


def _causes_of(reproducer: Reproducer, row: Row) -> tuple[Cause, ...]:
    """Return what explains the counts of a reduced circuit, which many hypotheses about the whole one cannot."""
    counts = reproducer.counts.get(row.simulator)
    if reproducer.error or not counts:
        return ()
    circuit = Circuit.from_openqasm(reproducer.openqasm)
    observations = Observations(
        sample=Sample.of(counts, circuit.num_clbits),
        differs_exactly=(row.exact_difference or 0.0) > (row.exact_tolerance or 0.0),
        requested=reproducer.shots,
    )
    reference = Distribution.of(reproducer.expected, circuit.num_clbits) if reproducer.expected else None
    return diagnose(circuit, observations, reference=reference)


def _narrowed(row: Row, reproducer: Reproducer) -> Row:
    """Return the row with the causes that explain its reproducer, too; the others are refuted by it."""
    names = {cause.name for cause in reproducer.causes}
    fitting = tuple(cause for cause in row.causes if cause.name in names)
    if not fitting:
        return row
    refuted = tuple(cause for cause in row.causes if cause.name not in names)
    return msgspec.structs.replace(row, causes=fitting, rejected=(*row.rejected, *refuted))


def _observations(observation: Observation, sample: Sample, row: Row, shots: int) -> Observations:
    """Return what the diagnosis looks at."""
    seeds = observation.seeds
    same = None if seeds is None else seeds.same
    runs = observation.counts if seeds is None or len(observation.counts) > 1 else seeds.different
    return Observations(
        sample=sample,
        exact=observation.exact,
        tolerance=row.exact_tolerance or 0.0,
        requested=shots,
        runs=tuple(map(_sample_of, runs)),
        same_seed=None if same is None else (_sample_of(same[0]), _sample_of(same[1])),
    )


def _sample_of(counts: Counts) -> Sample:
    return Sample.of(counts, counts.width)
