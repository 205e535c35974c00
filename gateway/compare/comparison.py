"""Run one circuit on many backends and say how they compare."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass

from gateway.backends.base import Backend, CircuitLike
from gateway.compare.statistics import distance_by_chance, total_variation_distance
from gateway.counts import Counts, Probabilities
from gateway.errors import GatewayError
from gateway.frameworks.sources import as_source
from gateway.protocol.messages import DEFAULT_SHOTS
from gateway.results import ResultType, Sampling

FALSE_ALARM_RATE = 1e-6
"""How often a right simulator may be said to differ."""

LEADING = 4

Report = Callable[[str], None]
"""Takes one word of progress, such as ``cirq: running``."""


@dataclass(frozen=True, slots=True)
class Row:
    """What one simulator did.

    Args:
        simulator: its name.
        version: of its framework; empty if it failed before it said so.
        leading: the most frequent outcomes and their counts.
        distance: total variation distance from the reference; ``None`` if it failed.
        bound: what chance alone may account for, at a false-alarm rate of 1e-6.
        agrees: whether the distance is within the bound.
        convert_s: seconds to parse, lower and build.
        run_s: seconds to simulate and sample.
        seed: the seed it used.
        error: why there is no result, otherwise ``None``.
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
    """The rows, and what they were compared with.

    Args:
        shots: of every run.
        reference: ``exact (qulacs)``, naming who computed it, or ``pooled`` counts of all.
        rows: one per simulator, in the order asked for.
    """

    shots: int
    reference: str
    rows: tuple[Row, ...]

    @property
    def all_agree(self) -> bool:
        """Whether every simulator ran and none differs from the reference."""
        return all(row.agrees for row in self.rows)

    def to_dict(self) -> dict[str, object]:
        """Return it as plain data, for JSON."""
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

    The backends start side by side; the runs follow one another, so that their times compare. A
    backend that fails has a row with its error and does not keep the others from running.

    Args:
        circuit: as for ``Backend.run``.
        backends: name -> backend.
        shots: for every backend.
        seed: for every backend; each draws its own when ``None``.
        sampling: ``"native"`` compares the frameworks' own samplers too.
        report: called with what is being done.

    Raises:
        RequestError: not a circuit.
    """
    source = as_source(circuit)
    with ThreadPoolExecutor(max_workers=max(len(backends), 1)) as starters:
        started = {name: starters.submit(backend.status) for name, backend in backends.items()}
        for name, future in started.items():
            report(f"{name}: starting")
            future.exception()  # what failed here fails again below, where its row is made
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
    """Return the exact distribution from the first backend that has it, else all counts pooled."""
    ran = {name: outcome for name, outcome in outcomes.items() if isinstance(outcome, Counts)}
    for name in ran:
        try:
            if ResultType.PROBABILITIES not in backends[name].capabilities().result_types:
                continue
            exact = backends[name].run(source, shots=None)
        except GatewayError:
            continue  # too large, not supported, too slow: another may have it
        assert isinstance(exact, Probabilities)  # noqa: S101 - no shots give probabilities
        return f"exact ({name})", exact
    pooled: Counter[str] = Counter()
    for outcome in ran.values():
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
