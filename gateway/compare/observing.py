"""Runs the circuits of a comparison on one simulator, and keeps what it gave.

Nothing is judged here. Whatever a backend raises becomes part of the observation, so that one simulator that fails
never hides what the others gave.
"""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from gateway.backends.base import Backend
from gateway.circuit import Circuit
from gateway.compare.circuits import NamedCircuit
from gateway.compare.record import SUM_TOLERANCE, Spread
from gateway.compare.running import EXCUSES, PROBE, run_within
from gateway.compare.statistics.outcomes import Distribution, Sample
from gateway.counts import Counts, Probabilities, Result, Statevector
from gateway.errors import GatewayError, JobTimeout, SimulatorError, UnsupportedError
from gateway.noise import NoiseModel
from gateway.provenance import Provenance
from gateway.results import Capabilities, Precision, ResultType, Sampling
from gateway.simulators import SIMULATORS

WIDEST_EXACT = 20
"""Exact results of more outcomes than ``2**20`` are not asked for: their transfer alone takes seconds and gigabytes."""

_SEED_SHOTS = 256
_SEED_RUNS_S = 5.0
"""The runs with equal and with different seeds may take about so long; for a slower simulator they are left out."""

_SAME_COUNTS_BY_CHANCE = 1e-9
_MOST_SEEDS = 12

Report = Callable[..., None]
"""A function that hears of a stage, and perhaps how many runs of it are done and how many there are."""

STAGES = ("queue", "parse", "build", "run", "sample")


@dataclass(frozen=True, slots=True)
class Plan:
    """How every simulator is run.

    Args:
        shots: of one run.
        seed: of the first run; ``None`` lets each simulator draw its own.
        repeat: how often each circuit is run; with more than one, a small circuit warms the simulator up before.
        sampling: who draws the shots.
        exact: whether exact results are asked for too.
        timeout_s: of one run; ``None`` leaves it to the backend.
        deadline: on the monotonic clock, for all runs together.
        noise: of every run; ``None`` for none.
    """

    shots: int
    seed: int | None = None
    repeat: int = 1
    sampling: Sampling | str = Sampling.AUTO
    exact: bool = True
    timeout_s: float | None = None
    deadline: float = math.inf
    noise: NoiseModel | None = None

    def remaining_s(self) -> float | None:
        """Return how long the next run may take.

        Raises:
            JobTimeout: the time of the whole comparison is over.
        """
        left_s = self.deadline - time.monotonic()
        if left_s <= 0:
            raise JobTimeout("the comparison's time was over before this run began")
        limits = [limit for limit in (self.timeout_s, left_s) if limit is not None and limit < math.inf]
        return min(limits) if limits else None


@dataclass(frozen=True, slots=True)
class Seeds:
    """What runs of few shots with seeds of our own choice gave.

    Args:
        same: the counts of two runs with the same seed; ``None`` where the simulator takes no seeds.
        different: the counts of runs with different seeds, or with none.
    """

    same: tuple[Counts, Counts] | None
    different: tuple[Counts, ...]

    @property
    def repeats(self) -> bool:
        """Whether the same seed gave the same counts twice; true of a simulator that takes no seeds."""
        return self.same is None or self.same[0] == self.same[1]

    @property
    def differ(self) -> bool:
        """Whether any two of the different seeds gave different counts."""
        return any(counts != self.different[0] for counts in self.different[1:])

    @property
    def by_chance(self) -> float:
        """The probability of equal counts in all of ``different``, given how often each outcome came in all together.

        It is exact, whatever the distribution is: shots are dealt to the runs like cards.
        """
        runs, counts = len(self.different), np.array(list(self.different[0].values()), dtype=np.float64)
        shots = float(counts.sum())
        ways = gammaln(runs * counts + 1) - runs * gammaln(counts + 1)
        return float(np.exp(ways.sum() - gammaln(runs * shots + 1) + runs * gammaln(shots + 1)))


@dataclass(frozen=True, slots=True)
class Observation:
    """What one simulator gave for one circuit.

    Args:
        simulator: the name by which the caller listed the backend.
        engine: what computes; simulators of one engine are one witness.
        version: of the simulator's framework.
        counts: of each repetition.
        exact: its exact distribution; for a circuit without measurement, that of the basis states.
        state: its state vector, for a circuit without measurement.
        precision: of its amplitudes.
        seeds: what runs with chosen seeds gave, or several runs of a simulator that takes none; ``None`` where there
            were no such runs, or the simulator is too slow.
        error: why it failed, as ``Class: message``; empty if it did not.
        notes: what could not be looked at, and why.
        seed: of the first run.
        provenance: of the first run.
        timings: stage -> seconds of the runs.
        peak_memory_bytes: of the runs.
    """

    simulator: str
    engine: str = ""
    version: str = ""
    counts: tuple[Counts, ...] = ()
    exact: Distribution | None = None
    state: NDArray[np.complex128] | None = None
    precision: Precision = Precision.DOUBLE
    seeds: Seeds | None = None
    error: str = ""
    notes: tuple[str, ...] = ()
    provenance: Provenance | None = None
    timings: dict[str, Spread] = field(default_factory=dict)
    peak_memory_bytes: int | None = None

    def sample(self) -> Sample | None:
        """Return the counts of all repetitions together."""
        if not self.counts:
            return None
        total = self.counts[0]
        for counts in self.counts[1:]:
            total = total.merge(counts)
        return Sample.of(total, total.width)


def failed(simulator: str, error: BaseException) -> Observation:
    """Return the observation of a simulator that gave nothing but an error."""
    message = error.message if isinstance(error, GatewayError) else str(error)
    return Observation(simulator, error=f"{type(error).__name__}: {message}")


def warm_up(backend: Backend) -> None:
    """Run a small circuit, since the first run of a process also pays for what the framework sets up once."""
    backend.run(Circuit(1).h(0).measure_all(), shots=1)


def observe(
    simulator: str,
    backend: Backend,
    circuit: NamedCircuit,
    plan: Plan,
    *,
    few_outcomes: bool = False,
    report: Report = lambda *_: None,
) -> Observation:
    """Run a circuit on a backend; whatever the backend raises becomes an observation that failed.

    Args:
        simulator: the name by which the caller listed the backend.
        backend: runs the circuit.
        circuit: the circuit.
        plan: shots, seed, repetitions and limits of time.
        few_outcomes: whether the circuit is known to have few outcomes, so that exact results of many clbits are small.
        report: is called with each stage before it, and with how many runs are done and how many there are.
    """
    try:
        return _observe(simulator, backend, circuit, plan, few_outcomes, report)
    except Exception as exc:  # noqa: BLE001 - a stranger's backend may raise anything, and the others count
        return failed(simulator, exc)


def _observe(
    simulator: str,
    backend: Backend,
    circuit: NamedCircuit,
    plan: Plan,
    few_outcomes: bool,
    report: Report,
) -> Observation:
    report("running")
    capabilities = backend.capabilities()
    if not circuit.is_measured:
        if ResultType.STATEVECTOR not in capabilities.result_types:
            raise UnsupportedError("the circuit measures nothing, and it has no state vectors: add measure_all()")
        return _observe_state(simulator, backend, circuit, plan)
    runs = []
    for repetition in range(plan.repeat):
        report("running", repetition, plan.repeat if plan.repeat > 1 else 0)
        runs.append(_timed_run(backend, circuit, plan, repetition))
    observation = _of_runs(simulator, [result for result, _ in runs], [seconds for _, seconds in runs], capabilities)
    if plan.seed is not None and not capabilities.seedable:
        observation = _noting(observation, "it takes no seeds, and drew its own")
    report("exact")
    try:
        observation = _with_exact(observation, backend, circuit, plan, capabilities, few_outcomes)
        return _with_seeds(observation, backend, circuit, plan, capabilities)
    except Exception as exc:  # noqa: BLE001 - as above; what it gave until then is kept
        return replace(observation, error=failed(simulator, exc).error)


def _observe_state(simulator: str, backend: Backend, circuit: NamedCircuit, plan: Plan) -> Observation:
    start = time.perf_counter()
    result = _run(backend, circuit.source, plan, result=ResultType.STATEVECTOR)
    seconds = time.perf_counter() - start
    if not isinstance(result, Statevector):
        raise SimulatorError(f"it returned {type(result).__name__} where a state vector was asked for")
    if result.num_qubits != circuit.circuit.num_qubits:
        raise SimulatorError(f"it returned the state of {result.num_qubits} qubits")
    state = np.asarray(result)
    _check_sum("the squares of its amplitudes", float(np.vdot(state, state).real))
    observation = _of_runs(simulator, [result], [seconds], backend.capabilities())
    return replace(observation, state=state, exact=Distribution.of_state(state))


def _timed_run(backend: Backend, circuit: NamedCircuit, plan: Plan, repetition: int) -> tuple[Counts, float]:
    """Run once and return the counts and the seconds.

    Raises:
        SimulatorError: the result is none of this circuit.
    """
    seed = None if plan.seed is None else (plan.seed + repetition) % 2**32
    start = time.perf_counter()
    result = _run(backend, circuit.source, plan, shots=plan.shots, seed=seed, sampling=plan.sampling)
    seconds = time.perf_counter() - start
    return _checked(result, circuit), seconds


def _run(backend: Backend, circuits: Any, plan: Plan, **options: Any) -> Any:  # noqa: ANN401 - one result, or a list
    """Run within the time that is left; a time for each run, which the caller asked for, is kept or refused."""
    if plan.noise is not None:
        options["noise"] = plan.noise
    return run_within(backend, circuits, plan.remaining_s(), may_overrun=plan.timeout_s is None, **options)


def _checked(result: Result, circuit: NamedCircuit) -> Counts:
    if not isinstance(result, Counts):
        raise SimulatorError(f"it returned {type(result).__name__} where counts were asked for")
    _check_width(result, circuit)
    return result


def _check_width(result: Counts | Probabilities, circuit: NamedCircuit) -> None:
    """Refuse a result of another circuit.

    Raises:
        SimulatorError: its bitstrings have another width.
    """
    width = circuit.circuit.num_clbits
    if result.width != width or any(len(key) != width for key in result):
        raise SimulatorError(f"it returned bitstrings of {result.width} bits for a circuit of {width} clbits")


def _of_runs(
    simulator: str, results: list[Counts] | list[Statevector], totals: list[float], capabilities: Capabilities
) -> Observation:
    """Return the observation of some runs, with the time of each stage."""
    provenances = [result.provenance for result in results if result.provenance is not None]
    timings = {"total": _spread(totals)}
    if len(provenances) == len(results):
        for stage in STAGES:
            seconds = [getattr(provenance, f"{stage}_s") for provenance in provenances]
            if None not in seconds:
                timings[stage] = _spread(seconds)
        inside = [p.queue_s + p.parse_s + p.build_s + p.run_s for p in provenances]
        timings["transfer"] = _spread([max(whole - part, 0.0) for whole, part in zip(totals, inside, strict=True)])
    first = provenances[0] if provenances else None
    peaks = [p.peak_memory_bytes for p in provenances if p.peak_memory_bytes is not None]
    return Observation(
        simulator,
        engine=_engine(first.simulator if first is not None else simulator),
        version=first.version if first is not None else "",
        counts=tuple(result for result in results if isinstance(result, Counts)),
        precision=capabilities.precision,
        provenance=first,
        timings=timings,
        peak_memory_bytes=max(peaks, default=None),
    )


def _engine(simulator: str) -> str:
    row = SIMULATORS.get(simulator)
    return simulator if row is None else row.engine or row.name


def _spread(values: Iterable[float]) -> Spread:
    ordered = sorted(values)
    return Spread(median(ordered), ordered[0], ordered[-1])


def _with_exact(
    observation: Observation,
    backend: Backend,
    circuit: NamedCircuit,
    plan: Plan,
    capabilities: Capabilities,
    few_outcomes: bool,
) -> Observation:
    """Return the observation with the simulator's exact distribution, or with a note that says why there is none."""
    if not plan.exact or ResultType.PROBABILITIES not in capabilities.result_types:
        return observation
    if not few_outcomes and circuit.circuit.num_clbits > WIDEST_EXACT:
        return _noting(observation, f"no exact result was asked for: there may be more than 2^{WIDEST_EXACT} outcomes")
    try:
        result = _run(backend, circuit.source, plan, shots=None)
    except EXCUSES as exc:
        return _noting(observation, f"no exact result: {exc.message}")
    except SimulatorError as exc:
        if _gives_exact_results(backend, plan):
            raise
        return _noting(observation, f"no exact result: {exc.message}")
    if not isinstance(result, Probabilities):
        raise SimulatorError(f"it returned {type(result).__name__} where exact probabilities were asked for")
    _check_width(result, circuit)
    _check_sum("its probabilities", math.fsum(result.values()))
    return replace(observation, exact=Distribution.of(result, result.width))


def _check_sum(what: str, total: float) -> None:
    """Refuse an exact result that cannot be right; a smaller error of the sum is one of the result itself.

    Raises:
        SimulatorError: the sum is not 1, or no number.
    """
    if not abs(total - 1) <= SUM_TOLERANCE:
        raise SimulatorError(f"its exact result cannot be right: {what} sum to {total}, not to 1")


def _gives_exact_results(backend: Backend, plan: Plan) -> bool:
    """Return whether a backend gives exact results of anything."""
    try:
        return isinstance(_run(backend, PROBE, plan, shots=None), Probabilities)
    except GatewayError:
        return False


def _noting(observation: Observation, note: str) -> Observation:
    return replace(observation, notes=(*observation.notes, note))


# ---------------------------------------------------------------------- seeds


def _with_seeds(
    observation: Observation, backend: Backend, circuit: NamedCircuit, plan: Plan, capabilities: Capabilities
) -> Observation:
    """Return the observation with what the same seed twice, and different seeds, gave.

    Two seeds are tried, and more only if these gave equal counts, which may be chance. A backend that takes no seeds
    may be a machine whose runs cost money: only the runs that were asked for are looked at.
    """
    if not capabilities.seedable:
        several = len(observation.counts) > 1
        return replace(observation, seeds=Seeds(None, observation.counts)) if several else observation
    shots = min(plan.shots, _SEED_SHOTS)
    number = _seeds_needed(_chance_of_equal_counts(observation, shots))
    if observation.timings["total"].median * (number + 2) > _SEED_RUNS_S:
        return _noting(observation, "seeds were not tried: the runs are too slow")

    def counts_of(first: int, seeds: int) -> list[Counts]:
        sources = [circuit.source] * seeds
        results = _run(backend, sources, plan, shots=shots, seed=first, sampling=plan.sampling)
        return [_checked(result, circuit) for result in results]

    seed = secrets.randbelow(2**31) if plan.seed is None else min(plan.seed, 2**32 - _MOST_SEEDS)
    try:
        different = counts_of(seed, 2)
        same = different[0], counts_of(seed, 1)[0]
        if different[0] == different[1]:
            different += counts_of(seed + 2, number - 2) if number > 2 else []  # noqa: PLR2004 - two are there
    except EXCUSES as exc:
        return _noting(observation, f"seeds were not tried: {exc.message}")
    return replace(observation, seeds=Seeds(same, tuple(different)))


def _seeds_needed(by_chance: float) -> int:
    """Return how many seeds make equal counts of all of them practically impossible; 1 where no number does."""
    if by_chance > 0.5:  # noqa: PLR2004 - the outcome is nearly certain, so that equal counts say nothing
        return 1
    return min(1 + math.ceil(math.log(_SAME_COUNTS_BY_CHANCE) / math.log(by_chance)), _MOST_SEEDS)


def _chance_of_equal_counts(observation: Observation, shots: int) -> float:
    """Return about how likely two samples are to be equal, from above.

    Two samples can be equal only if one outcome has the same count in both, which for the outcome whose probability is
    closest to 1/2 happens at most as often as its likeliest count, about ``1 / sqrt(2 pi n p (1 - p))``.
    """
    sample = observation.sample()
    assert sample is not None  # noqa: S101 - seeds are tried after a run
    shares = sample.counts / max(sample.shots, 1)
    variance = shots * float(np.max(shares * (1 - shares), initial=0.0))
    return min(1.0, 1 / math.sqrt(2 * math.pi * variance)) if variance > 0 else 1.0
