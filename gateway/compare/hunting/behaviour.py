"""The rows of :func:`gateway.compare.verify` that no single distribution shows: states, samplers, seeds, shots."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from random import Random
from typing import NamedTuple

from scipy import stats

from gateway.circuit import Circuit
from gateway.circuit.gates import GATES
from gateway.compare.exact import distribution
from gateway.compare.hunting import battery
from gateway.compare.hunting.generator import random_circuit
from gateway.compare.hunting.subject import Failed, NotOffered, Subject
from gateway.counts import Counts
from gateway.errors import CircuitInvalidError, GatewayError, LimitError, TransportError
from gateway.look import numbers
from gateway.results import ResultType, Sampling

MOST_SHOTS = 100_000
_SEED_SHOTS = 300
_FEW_SHOTS = 10
_LARGEST_SEED = 2**32 - 1
_RUNS = 40
_OWN_SHOTS = 300
"""The frameworks' own samplers repeat a dynamic circuit shot by shot."""


class Behaviour(NamedTuple):
    """A row of the battery that asks a simulator itself.

    Args:
        group: the part of the battery.
        name: what the row shows.
        examine: a function that raises ``Failed`` or ``NotOffered`` if the subject does not pass.
    """

    group: str
    name: str
    examine: Callable[[Subject], None]


def behaviours() -> Iterator[Behaviour]:
    """Yield the rows."""
    yield Behaviour("state vectors", "every gate, global phase included", _gate_states)
    yield Behaviour("state vectors", "random circuits, global phase included", _random_states)
    yield Behaviour("samples", "as many shots as were asked for", _shots)
    yield Behaviour("samples", "shots scatter as chance does", _scatter)
    yield Behaviour("samples", "random circuits", partial(_samples, sampling=Sampling.AUTO))
    yield Behaviour("samples", "a circuit that measures nothing is refused, or gives zeros", _nothing_measured)
    for group, sampling in (("seeds", Sampling.AUTO), ("own sampler", Sampling.NATIVE)):
        for name, examine in _SEEDS.items():
            yield Behaviour(group, name, partial(examine, sampling=sampling))
    yield Behaviour("own sampler", "bit order", _own_bit_order)
    yield Behaviour("own sampler", "random circuits", partial(_samples, sampling=Sampling.NATIVE))
    yield Behaviour("own sampler", "measurements, resets and conditions", _own_dynamics)


# ---------------------------------------------------------------------------- state vectors


def _gate_states(subject: Subject) -> None:
    random = Random(1)
    circuits = []
    for name in subject.scope.fitting(5):
        circuit = Circuit(max(GATES[name].num_qubits, 1))
        battery.turn(circuit, subject.scope, random)
        circuit.gate(name, range(GATES[name].num_qubits), battery.angles(name, subject.scope, random)[0])
        circuits.append(circuit)
    subject.hold_states(circuits)


def _random_states(subject: Subject) -> None:
    subject.hold_states([random_circuit(seed, subject.scope, "state")[1] for seed in range(12)])


# ---------------------------------------------------------------------------- samples


def _wide(subject: Subject) -> Circuit:
    """Return a circuit with so many outcomes that two seeds practically never give the same counts."""
    circuit = Circuit(8)
    for qubit in range(8):
        circuit.ry(math.pi / 2 - 0.1 * qubit, qubit)
    circuit = battery.in_scope(circuit.measure_all(), subject.scope)
    if len(distribution(circuit).codes) < 2:  # noqa: PLR2004 - the simulator has no gate that makes outcomes random
        raise NotOffered
    return circuit


def _shots(subject: Subject) -> None:
    circuit = battery.in_scope(Circuit(2).ry(1.1, 0).cx(0, 1).measure_all(), subject.scope)
    for shots in (1, 2, 1000, MOST_SHOTS):
        try:
            subject.counts([circuit], shots, subject.seed, Sampling.AUTO)  # their sum is always checked
        except Failed as failed:
            if not isinstance(failed.__cause__, LimitError) or shots == 1:
                raise


def _scatter(subject: Subject) -> None:
    """Look at the scatter of one outcome over many runs, which may be neither too large nor too small."""
    circuit = battery.in_scope(Circuit(1).ry(math.pi / 2, 0).measure_all(), subject.scope)
    chance = distribution(circuit).to_dict().get("1", 0.0)
    if not 0 < chance < 1:
        raise NotOffered
    runs = subject.counts([circuit] * _RUNS, subject.shots, subject.seed, Sampling.AUTO)
    expected = subject.shots * chance
    spread = sum((counts.get("1", 0) - expected) ** 2 for counts in runs) / (expected * (1 - chance))
    p_value = 2 * min(stats.chi2.cdf(spread, _RUNS), stats.chi2.sf(spread, _RUNS))
    if p_value < subject.rate:
        came = f"{spread:.3g} ({numbers.p_is(p_value)})"
        raise Failed(f"a sum of {_RUNS} squared deviations, in variances, near {_RUNS}", came, circuit, subject.seed)


def _samples(subject: Subject, sampling: Sampling) -> None:
    circuits = [random_circuit(seed, subject.scope, profile)[1] for profile in ("static", "wide") for seed in range(4)]
    subject.hold_samples(circuits, list(map(distribution, circuits)), sampling)


def _nothing_measured(subject: Subject) -> None:
    for circuit in (Circuit(2), Circuit(2, 2).x(0), Circuit(0, 3), Circuit()):
        zeros = {"0" * circuit.num_clbits: _FEW_SHOTS}
        try:
            (result,) = subject.participant.ask([circuit], ResultType.COUNTS, shots=_FEW_SHOTS)
        except CircuitInvalidError:
            continue
        except TransportError:
            raise
        except GatewayError as exc:
            raise Failed("CircuitInvalidError, or zeros", f"{type(exc).__name__}: {exc}", circuit) from exc
        if not isinstance(result, Counts) or dict(result) != zeros:
            raise Failed("CircuitInvalidError, or zeros", f"{result!r}", circuit)


# ---------------------------------------------------------------------------- seeds


def _draw(subject: Subject, seed: int | None, sampling: Sampling) -> Counts:
    if not subject.capabilities.seedable:
        raise NotOffered
    return subject.counts([_wide(subject)], _SEED_SHOTS, seed, sampling)[0]


def _same_seed(subject: Subject, sampling: Sampling) -> None:
    first, _, again = (_draw(subject, seed, sampling) for seed in (7, 8, 7))
    _expect_equal(first, again, "the counts of the first run with that seed", 7)


def _other_seed(subject: Subject, sampling: Sampling) -> None:
    seeds = (0, 1, 7, 2**31, _LARGEST_SEED)
    runs = [_draw(subject, seed, sampling) for seed in seeds]
    if any(runs[k] == earlier for k in range(len(runs)) for earlier in runs[:k]):
        raise Failed(f"other counts for each of the seeds {', '.join(map(str, seeds))}", "equal counts for two of them")


def _seeds_of_a_list(subject: Subject, sampling: Sampling) -> None:
    if not subject.capabilities.seedable:
        raise NotOffered
    circuit = _wide(subject)
    _, second = subject.counts([circuit, circuit], _SEED_SHOTS, 20, sampling)
    _expect_equal(_draw(subject, 21, sampling), second, "the second circuit of a list with the next seed", 20)


def _reported_seed(subject: Subject, sampling: Sampling) -> None:
    drawn = _draw(subject, None, sampling)
    seed = None if drawn.provenance is None else drawn.provenance.seed
    if seed is None:  # a function that draws its own seed, which nobody knows
        raise NotOffered
    _expect_equal(drawn, _draw(subject, seed, sampling), "the counts of the run that reported the seed", seed)


def _expect_equal(expected: Counts, came: Counts, what: str, seed: int) -> None:
    if expected != came:
        raise Failed(f"{what}: {expected!r}", repr(came), seed=seed)


_SEEDS: dict[str, Callable[..., None]] = {
    "the same seed gives the same counts": _same_seed,
    "another seed gives other counts": _other_seed,
    "the circuits of a list have seeds one after the other": _seeds_of_a_list,
    "the seed that is reported repeats the counts": _reported_seed,
}

# ---------------------------------------------------------------------------- the simulator's own sampler


def _own_bit_order(subject: Subject) -> None:
    circuits = [
        circuit for row in battery.rows() if row.group == "bit order" for circuit in row.circuits(subject.scope)
    ]
    _own(subject, circuits)


def _own_dynamics(subject: Subject) -> None:
    groups = {"measurements", "resets", "conditions"}
    _own(subject, [circuit for row in battery.rows() if row.group in groups for circuit in row.circuits(subject.scope)])


def _own(subject: Subject, circuits: list[Circuit]) -> None:
    """Hold the own sampler to those circuits that it takes; frameworks that cannot say something refuse it by name."""
    passed = 0
    for circuit in circuits:
        try:
            subject.hold_samples([circuit], [distribution(circuit)], Sampling.NATIVE, shots=_OWN_SHOTS)
        except NotOffered:
            continue
        passed += 1
    if not passed:
        raise NotOffered
