"""Compares simulators: runs, evidence, verdicts, causes and reproducers, one after the other."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import msgspec

from gateway.backends.auto import open_backends
from gateway.backends.base import Backend, CircuitLike
from gateway.circuit import Circuit
from gateway.compare import exact as own
from gateway.compare.arguments import check_number
from gateway.compare.circuits import NamedCircuit, named_circuits
from gateway.compare.closeness import tolerance
from gateway.compare.comparison import Comparison
from gateway.compare.diagnosis import Observations, diagnose
from gateway.compare.machine import this_machine
from gateway.compare.observing import WIDEST_EXACT, Observation, Plan, observe, warm_up
from gateway.compare.progress import Event, Progress, Stage, progress_of
from gateway.compare.record import Case, Cause, Detectable, Reproducer, Row, Verdict
from gateway.compare.referee import against_each_other, against_reference, decide, row_of
from gateway.compare.reproducer import reduce
from gateway.compare.statistics.detectable import detectable, shots_needed
from gateway.compare.statistics.outcomes import Distribution, Sample
from gateway.compare.statistics.tests import prepare
from gateway.compare.witnesses import OURS, Witness, choose, witnesses_of
from gateway.errors import GatewayError, LimitError, RequestError
from gateway.results import Sampling

DEFAULT_SHOTS = 10_000
"""The shots on each simulator when neither shots nor a resolution is given."""

MOST_SHOTS = 10_000_000
"""What a server takes unless it was started with another limit; a resolution never asks for more."""

TESTS_OF_A_SIMULATOR = 10
"""So many tests, or a few less, are corrected for each simulator; what would have been found follows from that."""

REDUCING_S = 60.0
"""How long the reproducers of a comparison may take together; a circuit that is smaller by then is kept as it is."""


def compare(  # noqa: PLR0913 - each is a thing to ask for, and all have names
    circuits: CircuitLike | Sequence[CircuitLike] | Mapping[str, CircuitLike],
    backends: Mapping[str, Backend] | Sequence[str | Backend] | str,
    *,
    shots: int | None = None,
    resolution: float | None = None,
    seed: int | None = None,
    repeat: int = 1,
    false_alarm_rate: float = 1e-6,
    exact: bool = True,
    side_by_side: bool = False,
    sampling: Sampling | str = Sampling.AUTO,
    timeout_s: float | None = None,
    time_limit_s: float | None = None,
    reproduce: bool = True,
    runtime: str = "auto",
    progress: Progress | str | None = "auto",
) -> Comparison:
    """Run circuits on several simulators, and say who agrees, who differs, why, and how to show it.

    The runs follow one another, so that their times can be compared; a simulator that fails is a row with its error,
    and the others run all the same. Ctrl-C, or the time limit, ends the runs, and what has finished is compared.

    Args:
        circuits: a circuit as :meth:`Backend.run` takes it, a list of them, or a mapping from name to circuit.
        backends: name -> backend; or names of simulators and URLs of servers, which are started and connected to here.
        shots: of each run; 10,000 unless a resolution chooses them.
        resolution: the total variation distance to find, 99 times in 100 and whatever the fault: chooses the shots.
        seed: of the first run on each simulator, ``0 <= seed < 2**32``; each draws its own by default.
        repeat: how often each circuit is run; with more than one, times are medians, after a warm-up.
        false_alarm_rate: the probability that any right simulator of the whole comparison is said to differ.
        exact: whether exact results are compared too, where simulators have them.
        side_by_side: whether all simulators run at the same time; their times can then not be compared.
        sampling: ``"native"`` compares the frameworks' own samplers.
        timeout_s: seconds that one run may take.
        time_limit_s: seconds that all runs together may take; what has not run by then is said to be unfinished.
        reproduce: whether a circuit on which a simulator differs is reduced to the smallest that shows it.
        runtime: ``docker``, ``local`` or ``auto``: where simulators given by name run.
        progress: ``"auto"`` shows it where people look, ``None`` nowhere; or an object of your own.

    Raises:
        RequestError: an argument has a wrong type or value.
        CircuitError: a circuit is refused.
        LimitError: the resolution would take more shots than a server allows; the message says how many.
    """
    named = named_circuits(circuits)
    _check_shots(shots, resolution)
    check_number("seed", seed, lowest=0, below=2**32, whole=True)
    check_number("repeat", repeat, lowest=1, whole=True)
    check_number("false_alarm_rate", false_alarm_rate, above=0, below=1)
    check_number("timeout_s", timeout_s, above=0)
    check_number("time_limit_s", time_limit_s, above=0)
    started = datetime.now(UTC).isoformat(timespec="seconds")
    plan = Plan(shots or DEFAULT_SHOTS, seed, repeat, _sampling(sampling), exact, timeout_s, _deadline(time_limit_s))
    with open_backends(backends, runtime=runtime) as opened, _showing(progress, list(opened), named) as board:
        session = _Session(opened, plan, false_alarm_rate, resolution, side_by_side, board)
        evidence = session.gather(named)
        cases = decide([item.case() for item in evidence], false_alarm_rate)
        cases = session.explain(cases, evidence, reproduce=reproduce)
    return Comparison(
        cases=cases,
        repeat=repeat,
        seed=seed,
        sampling=str(sampling),
        false_alarm_rate=false_alarm_rate,
        resolution=resolution,
        side_by_side=side_by_side,
        created=started,
        machine=this_machine(),
        interrupted=session.interrupted,
    )


def _check_shots(shots: int | None, resolution: float | None) -> None:
    if shots is not None and resolution is not None:
        raise RequestError("give shots, or a resolution that chooses them, and not both", field="shots")
    check_number("shots", shots, lowest=1, whole=True)
    check_number("resolution", resolution, above=0, below=1)


def _sampling(sampling: Sampling | str) -> Sampling:
    try:
        return Sampling(sampling)
    except ValueError:
        raise RequestError(f"sampling must be 'auto' or 'native', not {sampling!r:.100}", field="sampling") from None


def _deadline(time_limit_s: float | None) -> float:
    return math.inf if time_limit_s is None else time.monotonic() + time_limit_s


@contextmanager
def _showing(
    progress: Progress | str | None, simulators: list[str], circuits: list[NamedCircuit]
) -> Iterator[Progress]:
    board = progress_of(progress)
    board.start(simulators, [circuit.name for circuit in circuits])
    try:
        yield board
    finally:
        board.finish()


# ---------------------------------------------------------------------- evidence


@dataclass(frozen=True, slots=True)
class _OwnResult:
    """What our own plain simulator says of a circuit: the distribution and perhaps the state, or why it has none."""

    witness: Witness | None
    why_not: str = ""


def _own_result(circuit: NamedCircuit) -> _OwnResult:
    allowed = tolerance(circuit.circuit)
    try:
        if circuit.is_measured:
            return _OwnResult(Witness(OURS, OURS, own.distribution(circuit.circuit), allowed))
        state = own.statevector(circuit.circuit)
        return _OwnResult(Witness(OURS, OURS, Distribution.of_state(state), allowed, state))
    except LimitError as exc:
        return _OwnResult(None, exc.message)


@dataclass(slots=True)
class _Evidence:
    """What all simulators gave for one circuit."""

    circuit: NamedCircuit
    shots: int
    own: _OwnResult
    rate: float
    observations: dict[str, Observation] = field(default_factory=dict)
    reference: Distribution | None = None

    def case(self) -> Case:
        """Return the case with the evidence in its rows, and without verdicts."""
        observations = list(self.observations.values())
        circuit = self.circuit.circuit
        reference, witness = choose(witnesses_of(observations, self.own.witness, circuit), self.own.why_not)
        rows = [row_of(observation, self.circuit.name, self.shots) for observation in observations]
        found: Detectable | None = None
        if witness is None:
            rows = against_each_other(rows, [observation.sample() for observation in observations])
        else:
            self.reference = witness.exact
            prepared = prepare(witness.exact, error=reference.tolerance)
            pairs = zip(rows, observations, strict=True)
            rows = [
                row if seen.error else against_reference(row, seen, prepared, witness, circuit) for row, seen in pairs
            ]
            if self.circuit.is_measured:
                rate = self.rate / (TESTS_OF_A_SIMULATOR * max(len(rows), 1))
                found = detectable(prepared, self.shots, rate=rate)
        return Case(
            name=self.circuit.name,
            openqasm=self.circuit.text,
            sha256=self.circuit.sha256,
            num_qubits=circuit.num_qubits,
            num_clbits=circuit.num_clbits,
            operations=len(circuit.operations),
            depth=circuit.depth(),
            shots=self.shots,
            reference=reference,
            detectable=found,
            rows=tuple(rows),
        )


class _Session:
    """The runs of one comparison.

    Attributes:
        interrupted: whether Ctrl-C or the time limit ended the runs early.
    """

    def __init__(
        self,
        backends: Mapping[str, Backend],
        plan: Plan,
        rate: float,
        resolution: float | None,
        side_by_side: bool,
        board: Progress,
    ) -> None:
        self.backends = backends
        self.plan = plan
        self.rate = rate
        self.resolution = resolution
        self.side_by_side = side_by_side
        self.board = board
        self.interrupted = False

    def gather(self, circuits: Sequence[NamedCircuit]) -> list[_Evidence]:
        """Run every circuit on every simulator; Ctrl-C ends the runs, and what there is counts."""
        evidence: list[_Evidence] = []
        try:
            if self.plan.repeat > 1:
                self._warm_up()
            for circuit in circuits:
                result = _own_result(circuit)
                plan = self._plan_for(circuit, result)
                shots = plan.shots * plan.repeat
                evidence.append(_Evidence(circuit, shots, result, self.rate / len(circuits)))
                self._observe_all(evidence[-1], plan)
        except KeyboardInterrupt:
            self.interrupted = True
        for item in evidence:
            for name in self.backends:
                item.observations.setdefault(name, Observation(name))
            item.observations = {name: item.observations[name] for name in self.backends}
        return evidence

    def _warm_up(self) -> None:
        for backend in self.backends.values():
            try:
                warm_up(backend)
            except Exception:  # noqa: BLE001, S112 - it fails again below, where it gets its row
                continue

    def _plan_for(self, circuit: NamedCircuit, result: _OwnResult) -> Plan:
        """Return the plan with the shots that the resolution takes for this circuit.

        Raises:
            LimitError: it takes more shots than a server allows, or nobody knows how many it takes.
        """
        if self.resolution is None or not circuit.is_measured:
            return self.plan
        if result.witness is None:
            raise LimitError(f"the shots for a resolution follow from the exact distribution: {result.why_not}")
        rate = self.rate / (TESTS_OF_A_SIMULATOR * len(self.backends))
        shots = -(-shots_needed(result.witness.exact, self.resolution, rate=rate) // self.plan.repeat)
        if shots > MOST_SHOTS:
            message = f"a resolution of {self.resolution:g} takes {shots:,} shots of {circuit.name}: ask for less"
            raise LimitError(message, limit="shots", requested=shots, allowed=MOST_SHOTS)
        return replace(self.plan, shots=shots)

    def _observe_all(self, evidence: _Evidence, plan: Plan) -> None:
        if not self.side_by_side:
            for name in self.backends:
                evidence.observations[name] = self._observe(name, evidence, plan)
            return
        pool = ThreadPoolExecutor(max_workers=max(len(self.backends), 1))
        try:
            futures = {name: pool.submit(self._observe, name, evidence, plan) for name in self.backends}
            for name, future in futures.items():
                evidence.observations[name] = future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # after Ctrl-C nobody waits for what is still running

    def _observe(self, name: str, evidence: _Evidence, plan: Plan) -> Observation:
        witness, circuit = evidence.own.witness, evidence.circuit
        few = witness is not None and len(witness.exact.codes) <= 1 << WIDEST_EXACT

        def report(stage: str, done: int = 0, total: int = 0) -> None:
            self.board.update(Event(simulator=name, circuit=circuit.name, stage=Stage(stage), done=done, total=total))

        start = time.perf_counter()
        if time.monotonic() > plan.deadline:
            self.interrupted = True
            return Observation(name)
        observation = observe(name, self.backends[name], circuit, plan, few_outcomes=few, report=report)
        stage = Stage.FAILED if observation.error else Stage.FINISHED
        self.board.update(Event(simulator=name, circuit=circuit.name, stage=stage, seconds=time.perf_counter() - start))
        return observation

    # ------------------------------------------------------------------ causes and reproducers

    def explain(self, cases: Sequence[Case], evidence: Sequence[_Evidence], *, reproduce: bool) -> tuple[Case, ...]:
        """Return the cases with the causes of differences, and their reproducers; Ctrl-C leaves out the rest."""
        explained = list(cases)
        try:
            for index, item in enumerate(evidence):
                explained[index] = self._with_causes(explained[index], item)
            deadline = time.monotonic() + REDUCING_S
            for index, item in enumerate(evidence if reproduce and not self.interrupted else ()):
                explained[index] = self._with_reproducers(explained[index], item, deadline)
        except KeyboardInterrupt:
            self.interrupted = True
        return tuple(explained)

    def _with_causes(self, case: Case, evidence: _Evidence) -> Case:
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

    def _with_reproducers(self, case: Case, evidence: _Evidence, deadline: float) -> Case:
        reproducers: list[Reproducer] = []
        rows = []
        for row in case.rows:
            left_s = deadline - time.monotonic()
            reproducer = None
            if row.verdict is Verdict.DIFFERS and left_s > 0:
                self.board.update(Event(circuit=case.name, stage=Stage.REDUCING))
                reproducer = self._reproducer(row, case, evidence, left_s)
            rows.append(row if reproducer is None else _narrowed(row, reproducer))
            reproducers += [] if reproducer is None else [reproducer]
        return msgspec.structs.replace(case, rows=tuple(rows), reproducers=tuple(reproducers))

    def _reproducer(self, row: Row, case: Case, evidence: _Evidence, seconds: float) -> Reproducer | None:
        """Return the smallest circuit on which a simulator differs from our own, or else from one that agrees."""
        names, other = (row.simulator, OURS), None
        if OURS not in case.reference.witnesses:
            agreeing = next((other for other in case.rows if other.verdict is Verdict.AGREES), None)
            if agreeing is None:
                return None
            names, other = (row.simulator, agreeing.simulator), self.backends[agreeing.simulator]
        try:
            found = reduce(evidence.circuit.circuit, self.backends[row.simulator], other, names=names, seconds=seconds)
        except GatewayError:
            return None  # the difference does not show again, as with a fault that comes and goes
        return msgspec.structs.replace(found, circuit=case.name, causes=_causes_of(found, row.simulator))


def _causes_of(reproducer: Reproducer, simulator: str) -> tuple[Cause, ...]:
    """Return what explains the counts of a reduced circuit, which many hypotheses about the whole one cannot."""
    counts = reproducer.counts.get(simulator)
    if reproducer.error or not counts:
        return ()
    circuit = Circuit.from_openqasm(reproducer.openqasm)
    sample = Sample.of(counts, circuit.num_clbits)
    reference = Distribution.of(reproducer.expected, circuit.num_clbits) if reproducer.expected else None
    return diagnose(circuit, Observations(sample=sample, requested=reproducer.shots), reference=reference)


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
    runs = observation.counts if seeds is None or len(observation.counts) > 1 else seeds.different
    return Observations(
        sample=sample,
        exact=observation.exact,
        tolerance=row.exact_tolerance or 0.0,
        requested=shots,
        runs=tuple(Sample.of(counts, counts.width) for counts in runs),
        same_seed=None if seeds is None else tuple(Sample.of(counts, counts.width) for counts in seeds.same),  # type: ignore[arg-type]
    )
