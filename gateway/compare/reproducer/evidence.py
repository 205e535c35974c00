"""What two simulators say of a reduced circuit: the figures of a reproducer."""

from __future__ import annotations

from gateway.backends.base import Backend
from gateway.circuit import Circuit
from gateway.compare.record import Reproducer
from gateway.compare.reproducer.asking import ask, distributions, has, sample_of
from gateway.compare.reproducer.clock import Clock
from gateway.compare.reproducer.compacting import num_operations
from gateway.compare.reproducer.differences import difference, p_value
from gateway.compare.statistics.outcomes import Distribution, Sample
from gateway.compare.writing import openqasm_of
from gateway.errors import GatewayError
from gateway.results import Result, ResultType

OWN = "gateway"
"""The name of our own exact simulator."""


def names_of(a: Backend, b: Backend | None) -> tuple[str, str]:
    """Return the names that two backends give themselves, made different if they are not."""
    first, second = a.status().name, OWN if b is None else b.status().name
    return first, second if second != first else f"{second} (2)"


def reproducer_of(
    circuit: Circuit, a: Backend, b: Backend | None, names: tuple[str, str], *, shots: int, seed: int
) -> Reproducer:
    """Return a reproducer with what can be found out about a circuit; what a simulator does not answer is left out."""
    results = {
        name: _result(backend, circuit, shots, seed)
        for name, backend in zip(names, (a, b), strict=True)
        if backend is not None
    }
    samples = {name: sample_of(result) for name, result in results.items()}
    expected = _exact(b, circuit) or _exact(None, circuit)
    sample, other = samples[names[0]], samples.get(names[1])
    reference = expected or (other if isinstance(other, Sample) else None)
    operations = num_operations(circuit)
    return Reproducer(
        simulator=names[0],
        openqasm=openqasm_of(circuit),
        operations=operations,
        operations_before=operations,
        shots=shots,
        seed=seed,
        expected=expected.to_dict() if expected else {},
        counts={name: sample.to_dict() for name, sample in samples.items() if isinstance(sample, Sample)},
        versions=_versions(results),
        p_value=p_value(sample, reference) if reference and isinstance(sample, Sample) else None,
        exact_difference=difference(_exact(a, circuit), expected),
        error=f"{type(sample).__name__}: {sample}" if isinstance(sample, GatewayError) else "",
    )


def _result(backend: Backend, circuit: Circuit, shots: int, seed: int) -> Result | GatewayError:
    """Return the counts of a circuit, or why there are none."""
    try:
        return ask(backend, [circuit], Clock(), shots=shots, seed=seed)[0]
    except GatewayError as exc:
        return exc


def _exact(backend: Backend | None, circuit: Circuit) -> Distribution | None:
    """Return the exact distribution of a circuit, if the backend has one."""
    try:
        answer = distributions(backend, [circuit], Clock())[0] if has(backend, ResultType.PROBABILITIES) else None
    except GatewayError:
        return None
    return answer if isinstance(answer, Distribution) else None


def _versions(results: dict[str, Result | GatewayError]) -> dict[str, str]:
    """Return the version of each simulator that said one."""
    provenances = {name: result.provenance for name, result in results.items() if isinstance(result, Result)}
    return {name: provenance.version for name, provenance in provenances.items() if provenance is not None}
