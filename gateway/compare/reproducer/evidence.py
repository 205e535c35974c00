"""What two simulators say of a reduced circuit: the figures of a reproducer."""

from __future__ import annotations

from contextlib import suppress

from gateway.backends.base import Backend
from gateway.circuit import Circuit
from gateway.compare.record import Reproducer
from gateway.compare.reproducer.asking import STOPPING, ask, distributions, has, sample_of, states
from gateway.compare.reproducer.clock import Clock
from gateway.compare.reproducer.compacting import num_operations
from gateway.compare.reproducer.differences import difference, is_whole, largest_distance, p_value
from gateway.compare.reproducer.views import measures
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
    """Return a reproducer with what can be found out about a circuit; what a simulator does not answer is left out.

    The shots and the seed are those of the counts; a circuit that measures nothing has none.
    """
    if not measures(circuit):
        return _of_states(circuit, a, b, names)
    results = _results({names[0]: a, names[1]: b}, circuit, shots=shots, seed=seed)
    samples = {name: sample_of(result) for name, result in results.items()}
    exact = _exact(b, circuit)
    expected = exact if exact is not None and is_whole(exact) else _exact(None, circuit)
    sample, other = samples.get(names[0]), samples.get(names[1])
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
        error=_said(sample),
    )


def _of_states(circuit: Circuit, a: Backend, b: Backend | None, names: tuple[str, str]) -> Reproducer:
    """Return a reproducer with what the state vectors of a circuit that measures nothing say."""
    results = _results({names[0]: a, names[1]: b}, circuit, result=ResultType.STATEVECTOR)
    operations = num_operations(circuit)
    return Reproducer(
        simulator=names[0],
        openqasm=openqasm_of(circuit),
        operations=operations,
        operations_before=operations,
        versions=_versions(results),
        exact_difference=_distance(a, b, circuit),
        error=_said(results.get(names[0])),
    )


def _results(
    backends: dict[str, Backend | None],
    circuit: Circuit,
    *,
    shots: int | None = None,
    seed: int | None = None,
    result: ResultType = ResultType.COUNTS,
) -> dict[str, Result | GatewayError]:
    """Return what each backend gives for a circuit, or how it fails; one that cannot be asked is left out."""
    results: dict[str, Result | GatewayError] = {}
    for name, backend in backends.items():
        if backend is not None:
            with suppress(*STOPPING):
                results[name] = ask(backend, [circuit], Clock(), result, shots=shots, seed=seed)[0]
    return results


def _said(answer: object) -> str:
    return f"{type(answer).__name__}: {answer}" if isinstance(answer, GatewayError) else ""


def _distance(a: Backend, b: Backend | None, circuit: Circuit) -> float | None:
    """Return the largest difference of an amplitude of two states, if both are known."""
    try:
        ((first,), (second,)) = states(a, [circuit], Clock()), states(b, [circuit], Clock())
    except GatewayError:
        return None
    return largest_distance(first, second)


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
