"""Runs one circuit on several backends and compares their counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass

from gateway.backends.base import Backend, CircuitLike
from gateway.compare.old_statistics import distance_by_chance, total_variation_distance
from gateway.counts import Counts, Probabilities
from gateway.errors import GatewayError
from gateway.frameworks.sources import as_source
from gateway.protocol.messages import DEFAULT_SHOTS
from gateway.results import ResultType, Sampling

FALSE_ALARM_RATE = 1e-6
"""The probability with which a correct simulator is reported to differ."""

LEADING = 4
"""The number of most frequent outcomes that a row shows."""

Report = Callable[[str], None]
"""A function that takes a line about the progress, such as ``cirq: running``."""


@dataclass(frozen=True, slots=True)
class Row:
    """The result of one simulator in a comparison.

    Args:
        simulator: the simulator's name.
        version: the version of its framework; empty if the run failed.
        leading: the most frequent outcomes and their counts.
        distance: the total variation distance from the reference; ``None`` if the run failed.
        bound: the largest distance that chance explains, at a false-alarm rate of 1e-6.
        agrees: whether the distance is within the bound.
        convert_s: seconds spent on parsing, lowering and building.
        run_s: seconds spent on simulating and sampling.
        seed: the seed of the run.
        error: why the run failed; ``None`` if it did not.
    """

    simulator: str
    version: str = ""
    leading: tuple[tuple[str, int], ...] = ()
    distance: float | None = None
    bound: float | None = None
    agrees: bool | None = None
    convert_s: float | None = None
    run_s: float | None = None
    seed: int | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """The results of all simulators, and the reference that they were compared with.

    Args:
        shots: the number of shots of each run.
        reference: ``exact (qulacs)`` for a distribution that qulacs computed, or ``pooled`` for the counts of all.
        rows: one row per simulator, in the order in which the caller named them.
    """

    shots: int
    reference: str
    rows: tuple[Row, ...]

    @property
    def all_agree(self) -> bool:
        """Whether every simulator ran and none differs from the reference."""
        return all(row.agrees for row in self.rows)

    def to_dict(self) -> dict[str, object]:
        """Return the comparison as plain data, for JSON."""
        return asdict(self)


def compare(
    circuit: CircuitLike,
    backends: Mapping[str, Backend],
    *,
    shots: int = DEFAULT_SHOTS,
    seed: int | None = None,
    sampling: Sampling | str = Sampling.AUTO,
    report: Report = lambda _: None,
) -> Comparison:
    """Run a circuit on several backends.

    The backends start in parallel, but the runs follow one another, so that their times can be compared. A
    backend that fails gets a row with its error, and the others run all the same.

    Args:
        circuit: a circuit as :meth:`Backend.run` takes it.
        backends: name -> backend.
        shots: the number of shots on each backend.
        seed: the seed on each backend; when ``None``, each draws its own.
        sampling: with ``"native"``, the frameworks' own samplers are compared too.
        report: a function that is called with lines about the progress.

    Raises:
        RequestError: ``circuit`` is not a circuit.
    """
    source = as_source(circuit)
    with ThreadPoolExecutor(max_workers=max(len(backends), 1)) as pool:
        starts = {name: pool.submit(backend.status) for name, backend in backends.items()}
        for name, future in starts.items():
            report(f"{name}: starting")
            future.exception()  # a backend that fails here fails again below, where it gets its row
    outcomes: dict[str, Counts | GatewayError] = {}
    for name, backend in backends.items():
        report(f"{name}: running")
        try:
            # The first run of a process also pays for what the framework sets up once.
            backend.run(source, shots=1, seed=seed, sampling=sampling)
            outcome = backend.run(source, shots=shots, seed=seed, sampling=sampling)
            assert isinstance(outcome, Counts)  # noqa: S101 - shots give counts
            outcomes[name] = outcome
        except GatewayError as exc:
            outcomes[name] = exc
    report("exact distribution")
    reference, exact = _reference(source, backends, outcomes)
    rows = tuple(_row(name, outcome, exact, shots) for name, outcome in outcomes.items())
    return Comparison(shots=shots, reference=reference, rows=rows)


def _reference(
    source: CircuitLike, backends: Mapping[str, Backend], outcomes: Mapping[str, Counts | GatewayError]
) -> tuple[str, Mapping[str, float]]:
    """Return the name and the values of the reference: the first exact distribution, or else the counts of all."""
    counts = {name: outcome for name, outcome in outcomes.items() if isinstance(outcome, Counts)}
    for name in counts:
        try:
            if ResultType.PROBABILITIES not in backends[name].capabilities().result_types:
                continue
            exact = backends[name].run(source, shots=None)
        except GatewayError:
            continue  # the circuit is too large or too slow for it; another backend may succeed
        assert isinstance(exact, Probabilities)  # noqa: S101 - no shots give probabilities
        return f"exact ({name})", exact
    pooled: Counter[str] = Counter()
    for outcome in counts.values():
        pooled.update(outcome)
    total = pooled.total()
    return "pooled", {key: value / total for key, value in pooled.items()}


def _row(name: str, outcome: Counts | GatewayError, exact: Mapping[str, float], shots: int) -> Row:
    if isinstance(outcome, GatewayError):
        return Row(name, error=f"{type(outcome).__name__}: {outcome}", agrees=False)
    distance = total_variation_distance(outcome.probabilities(), exact)
    bound = distance_by_chance(exact.values(), shots, FALSE_ALARM_RATE)
    provenance = outcome.provenance
    assert provenance is not None  # noqa: S101 - every result has one
    return Row(
        simulator=name,
        version=provenance.version,
        leading=tuple(outcome.most_common(LEADING)),
        distance=distance,
        bound=bound,
        agrees=distance <= bound,
        convert_s=provenance.parse_s + provenance.build_s,
        run_s=provenance.run_s,
        seed=provenance.seed,
    )
