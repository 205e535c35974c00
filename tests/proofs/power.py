"""Proves that simulators which run a wrong circuit are found.

Mutants of the corpus and of random circuits are run: one operation is wrong, and the rest is right. A mutant is *above
the resolution* if its distribution is further from the right one, in total variation distance, than what the comparison
says it would find whatever the fault. Of those, nearly all must be found by samples alone; by exact results, all must
be found whose distribution is another one at all. What is judged goes through the same functions as in ``compare``,
which is itself too slow for this: it also looks for the cause of each of many thousand differences.

The table says of how many mutants above and below the resolution how many were found: ``found/number``.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random

from proofs.calibration_cases import Sampler
from proofs.power_cases import CORPUS, KINDS, Original, mutant, originals
from support.statistics import total_variation

from gateway.compare import exact
from gateway.compare.circuits import NamedCircuit, named_circuits
from gateway.compare.closeness import tolerance
from gateway.compare.observing import Observation, Plan, observe
from gateway.compare.record import Case, Verdict
from gateway.compare.referee import TESTS_OF_A_SIMULATOR, against_reference, decide, row_of
from gateway.compare.statistics.detectable import detectable
from gateway.compare.statistics.outcomes import Distribution
from gateway.compare.statistics.tests import prepare
from gateway.compare.witnesses import OURS, Witness, choose, witnesses_of

RATE = 1e-6
"""The rate of false alarms, the default of ``compare``."""

SHOTS = (100, 1_000, 10_000, 100_000)

FOUND = 0.99
"""At least this part of the mutants above the resolution must be found by samples alone."""

NEAR = 1.5
"""Mutants above the resolution, but by less than this factor, are counted on their own: those are hard to find."""

Tally = dict[str, Counter[str]]
"""Group of mutants -> what is counted -> number."""


@dataclass(frozen=True, slots=True)
class Right:
    """A circuit and what is known of it: its distribution, and for each number of shots what would be found."""

    circuit: NamedCircuit
    ours: Witness
    resolutions: dict[int, float]

    @classmethod
    def of(cls, circuit: NamedCircuit) -> Right:
        """Return what a comparison of one simulator knows of a circuit."""
        distribution = exact.distribution(circuit.circuit)
        allowed = tolerance(circuit.circuit)
        rate = RATE / TESTS_OF_A_SIMULATOR
        resolutions = {shots: detectable(distribution, shots, rate=rate).hardest for shots in SHOTS}
        return cls(circuit, Witness(OURS, OURS, distribution, allowed), resolutions)

    def finds(self, observation: Observation, shots: int) -> bool:
        """Return whether the referee says that a simulator differs."""
        reference, witness = choose(witnesses_of([observation], self.ours, self.circuit.circuit))
        prepared = prepare(witness.exact, error=reference.tolerance)
        row = row_of(observation, self.circuit.name, shots)
        row = against_reference(row, observation, prepared, witness, self.circuit.circuit)
        case = Case(
            name=self.circuit.name,
            openqasm="",
            sha256="",
            num_qubits=self.circuit.circuit.num_qubits,
            num_clbits=self.circuit.circuit.num_clbits,
            operations=len(self.circuit.circuit.operations),
            depth=0,
            shots=shots,
            reference=reference,
            rows=(row,),
        )
        return decide([case], RATE)[0].rows[0].verdict is Verdict.DIFFERS


def main(argv: Sequence[str]) -> int:
    """Print a table; return 1 if mutants are missed."""
    parser = argparse.ArgumentParser(prog="scripts/prove power", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few circuits, one mutant of each kind")
    parser.add_argument("--seed", type=int, default=1, help="of circuits, mutants and samples; default: 1")
    arguments = parser.parse_args(argv)
    few = arguments.quick
    tally = tally_of(arguments.seed, random_ones=5 if few else 80, mutants=1 if few else 4, every=8 if few else 1)
    _print(tally)
    return _status(tally["all"])


def tally_of(seed: int, *, random_ones: int, mutants: int, every: int = 1) -> Tally:
    """Return how many mutants there are, and were found, by kind, by source of the circuit, and in all.

    Args:
        seed: of circuits, mutants and samples.
        random_ones: static and dynamic random circuits, of each so many.
        mutants: of each kind and circuit.
        every: so many circuits of the corpus are one that is taken.
    """
    tally: Tally = {group: Counter() for group in (*KINDS, "corpus", "static", "dynamic", "all")}
    for number, original in enumerate(originals(seed, random_ones=random_ones, corpus=CORPUS[::every])):
        random = Random(f"{seed} {number}")
        (named,) = named_circuits({f"{original.source} {number}": original.circuit})
        right = Right.of(named)
        for kind, wrong in _mutants(original, random, mutants):
            found = list(_found(right, wrong, random.randrange(2**32)))
            for group in (kind, original.source, "all"):
                tally[group].update(found)
    return tally


def _mutants(original: Original, random: Random, number: int) -> Iterator[tuple[str, Distribution]]:
    """Yield mutants of each kind, as their distributions."""
    for kind in KINDS:
        for _ in range(number):
            wrong = mutant(kind, random, original.circuit)
            if wrong is not None:
                yield kind, exact.distribution(wrong)


def _found(right: Right, wrong: Distribution, seed: int) -> Iterator[str]:
    """Yield what there is to count of one mutant."""
    expected, actual = right.ours.exact.to_dict(), wrong.to_dict()
    distance = total_variation(actual, expected)
    largest = max(abs(actual.get(key, 0.0) - expected.get(key, 0.0)) for key in actual.keys() | expected.keys())
    yield "mutants"
    if largest <= right.ours.tolerance:
        return
    yield "differ"
    simulator = Sampler("wrong", 0, wrong)
    for shots in SHOTS:
        seen = observe("wrong", simulator, right.circuit, Plan(shots, seed=seed))
        if shots == SHOTS[0] and right.finds(seen, shots):
            yield "found by exact results"
        found = right.finds(replace(seen, exact=None), shots)
        for where in _places(distance / right.resolutions[shots]):
            yield f"{where} at {shots}"
            if found:
                yield f"{where} at {shots}, found"


def _places(distance: float) -> list[str]:
    """Return where a mutant stands, by its distance in units of the resolution."""
    if distance <= 1:
        return ["below"]
    return ["above", "near"] if distance < NEAR else ["above"]


def _print(tally: Tally) -> None:
    columns = f"{'above':>12}{'below':>12}"
    heads = "".join(f"{f'by {shots:,} shots':>24}" for shots in SHOTS)
    print(f"{'':<37}by exact{heads}\n{'mutants':<20}{'number':>8}{'differ':>8}{'results':>9}{columns * len(SHOTS)}")
    for group, found in tally.items():
        row = "".join(
            f"{_fraction(found, f'{where} at {shots}'):>12}" for shots in SHOTS for where in ("above", "below")
        )
        print(f"{group:<20}{found['mutants']:>8,}{found['differ']:>8,}{found['found by exact results']:>9,}{row}")


def _fraction(found: Counter[str], what: str) -> str:
    return f"{found[f'{what}, found']:,}/{found[what]:,}"


def _status(found: Counter[str]) -> int:
    """Print how near the bounds are, and return 1 if one is missed."""
    differ, by_exact = found["differ"], found["found by exact results"]
    print(f"\nby exact results: {by_exact:,} of {differ:,} that differ are found; all must be")
    missed = by_exact < differ
    for shots in SHOTS:
        above, by_samples = found[f"above at {shots}"], found[f"above at {shots}, found"]
        near = _fraction(found, f"near at {shots}")
        print(f"by {shots:,} shots: {by_samples:,} of {above:,} above the resolution are found; {FOUND:.0%} must be")
        print(f"  of those that are less than {NEAR:g} times as far away: {near}")
        missed |= by_samples < FOUND * above
    return int(missed)
