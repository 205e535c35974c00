"""Draws comparisons of right simulators: circuits of six kinds, and simulators that sample their distributions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import pi
from random import Random

import numpy as np
from support.circuits import random_dynamic_circuit

from gateway.backends.base import Backend, BackendStatus
from gateway.circuit import Circuit
from gateway.compare import exact
from gateway.compare.statistics.outcomes import Distribution, decode
from gateway.counts import Counts, Probabilities
from gateway.provenance import Provenance
from gateway.results import Capabilities, Precision, Result, ResultType

MOST_SIMULATORS = 6
WITHOUT_REFERENCE = 0.1
"""The part of the comparisons in which nobody has exact results."""

OUT_OF_REACH = 24
"""More qubits than our own exact simulator holds at once."""

MOST_RANDOM = 12
"""So many clbits of a circuit are random; more only in one of 30 flat circuits."""


class Sampler(Backend):
    """A right simulator of one circuit, which samples the distribution that it is given.

    Args:
        name: of the simulator; no two are of one engine.
        number: makes its samples other ones than those of simulators that get the same seeds.
        distribution: of the circuit.
        single_precision: whether its exact results are rounded to 32 bits.
    """

    def __init__(self, name: str, number: int, distribution: Distribution, *, single_precision: bool = False) -> None:
        self.name, self.number, self.distribution = name, number, distribution
        self.single_precision = single_precision

    def send(self, request) -> list[Result]:
        shots = request.shots_list()
        return [self._result(each, (request.seed or 0) + place) for place, each in enumerate(shots)]

    def status(self) -> BackendStatus:
        return BackendStatus(self.name, "1", online=True)

    def capabilities(self) -> Capabilities:
        precision = Precision.SINGLE if self.single_precision else Precision.DOUBLE
        return Capabilities(result_types=(ResultType.COUNTS, ResultType.PROBABILITIES), precision=precision)

    def _result(self, shots: int | None, seed: int) -> Result:
        width = self.distribution.width
        provenance = Provenance(simulator=self.name, version="1", shots=shots, seed=seed)
        if shots is None:
            return Probabilities(self._exact(), width, provenance)
        places, counts = self._drawn(shots, np.random.default_rng([self.number, seed]))
        keys = decode(self.distribution.codes[places], width)
        return Counts.trusted(dict(zip(keys, counts.tolist(), strict=True)), width, provenance)

    def _exact(self) -> dict[str, float]:
        probabilities = self.distribution.probabilities
        if self.single_precision:
            probabilities = probabilities.astype(np.float32).astype(np.float64)
        return dict(zip(decode(self.distribution.codes, self.distribution.width), probabilities.tolist(), strict=True))

    def _drawn(self, shots: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Return which outcomes were drawn, and how often each."""
        probabilities = self.distribution.probabilities
        if shots < len(probabilities):
            sums = np.cumsum(probabilities)
            return np.unique(np.searchsorted(sums, random.random(shots) * sums[-1], side="right"), return_counts=True)
        counts = random.multinomial(shots, probabilities)
        return np.flatnonzero(counts), counts[counts > 0]


# ---------------------------------------------------------------------- circuits


def peaked(random: Random) -> Circuit:
    """Return one outcome that is much likelier than all others, which are many."""
    size = random.randint(1, MOST_RANDOM)
    circuit, angle = Circuit(size), random.uniform(0.01, 0.5)
    for _ in range(2):
        for qubit in range(size):
            circuit.ry(random.uniform(-angle, angle), qubit)
        for _ in range(size // 2):
            circuit.cx(*random.sample(range(size), 2))
    return circuit.measure_all()


def flat(random: Random) -> Circuit:
    """Return outcomes that are all equally likely, or likely at random, as those of a deep circuit (Porter-Thomas)."""
    size = random.randint(1, MOST_RANDOM) if random.random() < 29 / 30 else random.randint(MOST_RANDOM, MOST_RANDOM + 5)
    circuit = Circuit(size)
    if random.random() < 0.5:
        for qubit in range(size):
            circuit.h(qubit)
        return circuit.measure_all()
    for layer in range(size + 2):
        for qubit in range(size):
            circuit.u(random.uniform(0, pi), random.uniform(0, 2 * pi), random.uniform(0, 2 * pi), qubit)
        for qubit in range(layer % 2, size - 1, 2):
            circuit.cz(qubit, qubit + 1)
    return circuit.measure_all()


def sparse(random: Random) -> Circuit:
    """Return few outcomes of many clbits: a few random qubits, and others that repeat one of them."""
    size = random.randint(2, 24)
    circuit, number = Circuit(size), random.randint(1, min(size, 8))
    for qubit in range(number):
        circuit.ry(random.uniform(0, pi), qubit)
    for qubit in range(number, size):
        circuit.cx(random.randrange(number), qubit)
        if random.random() < 0.5:
            circuit.x(qubit)
    return circuit.measure_all()


def product(random: Random) -> Circuit:
    """Return independent clbits, each of which is biased or certain."""
    size = random.randint(1, 24)
    circuit = Circuit(size)
    for qubit in random.sample(range(size), random.randint(0, min(size, MOST_RANDOM))):
        circuit.ry(random.uniform(0, pi), qubit)
    for qubit in range(size):
        if random.random() < 0.3:
            circuit.x(qubit)
    return circuit.measure_all()


def ghz(random: Random) -> Circuit:
    """Return two outcomes, all clbits 0 or all 1, which may be unequally likely; sometimes with a little error."""
    size = random.randint(2, 24)
    circuit = Circuit(size).ry(random.choice([pi / 2, random.uniform(0, pi)]), 0)
    for qubit in range(1, size):
        circuit.cx(qubit - 1, qubit)
    for qubit in random.sample(range(size), random.choice([0, 0, min(size, 4)])):
        circuit.ry(0.1, qubit)
    return circuit.measure_all()


def dynamic(random: Random) -> Circuit:
    """Return measurements, resets and conditions at random."""
    return random_dynamic_circuit(
        random.randrange(2**32), random.randint(1, 5), random.randint(3, 6), random.randint(4, 24)
    )


KINDS: dict[str, Callable[[Random], Circuit]] = {
    "peaked": peaked,
    "flat": flat,
    "sparse": sparse,
    "product": product,
    "ghz": ghz,
    "dynamic": dynamic,
}


def out_of_reach(circuit: Circuit) -> Circuit:
    """Return a circuit that does the same, after gates that undo each other on more qubits than our simulator holds."""
    wide = Circuit(OUT_OF_REACH, circuit.num_clbits)
    pairs = [(qubit, qubit + 1) for qubit in range(OUT_OF_REACH - 1)]
    for pair in [*pairs, *reversed(pairs)]:
        wide.cx(*pair)
    return Circuit(OUT_OF_REACH, circuit.num_clbits, [*wide.operations, *circuit.operations])


# ---------------------------------------------------------------------- comparisons


@dataclass(frozen=True, slots=True)
class Case:
    """One comparison of right simulators.

    Args:
        kind: of the circuit.
        circuit: what is run.
        simulators: name -> simulator.
        shots: on each of them.
        exact: whether exact results are compared too.
        seed: of the first run on each simulator.
    """

    kind: str
    circuit: Circuit
    simulators: dict[str, Sampler]
    shots: int
    exact: bool
    seed: int


def case(seed: int, number: int) -> Case:
    """Return a comparison; the same for the same seed and number."""
    random = Random(f"calibration {seed} {number}")
    kind = list(KINDS)[number % len(KINDS)]
    circuit = KINDS[kind](random)
    distribution = exact.distribution(circuit)
    ours = random.random() >= WITHOUT_REFERENCE
    simulators = {
        name: Sampler(name, place, distribution, single_precision=random.random() < 0.25)
        for place, name in enumerate("abcdef"[: random.randint(1 if ours else 2, MOST_SIMULATORS)])
    }
    shots, with_exact = round(10 ** random.uniform(1, 6)), ours and random.random() < 0.5
    if ours and with_exact and random.random() < 0.2:
        ours = False  # the simulators are the only witnesses
    return Case(
        kind, circuit if ours else out_of_reach(circuit), simulators, shots, with_exact, random.randrange(2**32)
    )
