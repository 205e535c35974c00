"""Proves the diagnosis: planted faults are named, and hardly anything gets a wrong name.

Every cause is planted in a simulator, and circuits are drawn on which it shows. Each is diagnosed by counts alone, from
1,000 to 100,000 shots, and again with exact probabilities. The right name is *first*; or it is *equal*: the first one
predicts the very same; or *listed*: the first one predicts something else that the counts fit, too; or the names are
all *wrong*; or there is *none*. Faults without a name are planted, too; there a name is wrong unless it predicts the
very same.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from proofs.diagnosis_cases import IN_SHOTS, NAMED, NAMELESS, Case, cases

from gateway.compare import exact
from gateway.compare.diagnosis import Observations, diagnose
from gateway.compare.diagnosis.evidence import largest_difference
from gateway.compare.diagnosis.explanations import explain
from gateway.compare.statistics import tests
from gateway.compare.statistics.outcomes import Distribution, Sample

SHOTS = (1_000, 10_000, 100_000)
RUNS = 5
SHOWS = 1e-6
"""A fault shows if the counts are less likely than this on a right simulator."""

SAME = 1e-9
"""The difference of probabilities up to which two predictions are the very same."""

MOST_DRAWN = 60
"""So many circuits are drawn at most for each one on which a fault shows."""

FIRST, WRONG = 0.9, 0.01
"""In so many cases at least the right name comes first, and in so many at most all names are wrong."""

UNNAMED = 0.1
"""Of each cause, so many cases at most lack the right name; one may, as a right name is refused by chance in 0.1 %."""

OUTCOMES = ("first", "equal", "listed", "wrong", "none")


@dataclass(frozen=True, slots=True)
class Shown:
    """A fault that shows.

    Args:
        case: circuit and simulator.
        reference: what a right simulator would give.
        observations: what the simulator gave, with its exact probabilities.
    """

    case: Case
    reference: Distribution
    observations: Observations


def main(argv: Sequence[str]) -> int:
    """Print a table of all faults; return 1 if the diagnosis misses its aim."""
    parser = argparse.ArgumentParser(prog="scripts/prove diagnosis", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="three circuits for each fault in place of 20")
    parser.add_argument("--circuits", type=int, help="for each fault")
    parser.add_argument("--seed", type=int, default=1, help="of the circuits; default: 1")
    arguments = parser.parse_args(argv)
    number = arguments.circuits or (3 if arguments.quick else 20)
    print(f"{'fault':<26}{'circuits':>8}   by counts: {_head()}   with exact probabilities: {_head()}")
    named = {fault: _judged(fault, number, arguments.seed) for fault in NAMED}
    totals = _total(named.values())
    _print("all causes", totals)
    nameless = [_judged(fault, number, arguments.seed) for fault in NAMELESS]
    _print("all faults without a name", _total(nameless))
    return _status(named, totals)


def _judged(fault: str, number: int, seed: int) -> tuple[Counter[str], Counter[str]]:
    """Return how often each outcome came, by counts alone and with exact probabilities."""
    by_counts, by_all = Counter(), Counter()
    for shown in islice(_shown(fault, seed, number * MOST_DRAWN), number):
        by_counts[_outcome(shown, has_exact=False)] += 1
        by_all[_outcome(shown, has_exact=True)] += 1
    _print(fault, (by_counts, by_all))
    return by_counts, by_all


def _shown(fault: str, seed: int, most: int) -> Iterator[Shown]:
    """Yield cases of a fault that show."""
    number = 0
    for case in islice(cases(fault, seed), most):
        shown = _observed(case, SHOTS[number % len(SHOTS)], seed + number)
        if fault in IN_SHOTS or _shows(shown):
            number += 1
            yield shown


def _observed(case: Case, shots: int, seed: int) -> Shown:
    width = case.circuit.num_clbits

    def run(seed: int) -> Sample:
        return Sample.of(case.simulator.run(case.circuit, shots=shots // RUNS, seed=seed), width)

    runs = tuple(run(seed + number) for number in range(RUNS))
    merged = Counter()
    for part in runs:
        merged.update(part.to_dict())
    observations = Observations(
        sample=Sample.of(merged, width),
        exact=Distribution.of(case.simulator.run(case.circuit, shots=None), width),
        requested=shots,
        runs=runs,
        same_seed=(runs[0], run(seed)),
    )
    return Shown(case, exact.distribution(case.circuit), observations)


def _shows(shown: Shown) -> bool:
    return (
        largest_difference(shown.observations.exact, shown.reference) > SAME
        and tests.fit(shown.observations.sample, tests.prepare(shown.reference)) < SHOWS
    )


def _outcome(shown: Shown, *, has_exact: bool) -> str:
    """Diagnose, and return what that came to."""
    case, observations = shown.case, shown.observations
    if not has_exact:
        observations = dataclasses.replace(observations, exact=None)
    causes = diagnose(case.circuit, observations, reference=shown.reference, registers=case.registers)
    names = [cause.name for cause in causes]
    if not names:
        return "none"
    if names[0] == case.cause:
        return "first"
    first = explain(case.circuit, observations, shown.reference, registers=case.registers)[:1]
    if first and largest_difference(first[0].prediction.distribution, shown.observations.exact) <= SAME:
        return "equal"
    return "listed" if case.cause in names else "wrong"


def _total(each: Iterable[tuple[Counter[str], Counter[str]]]) -> tuple[Counter[str], Counter[str]]:
    by_counts, by_all = zip(*each, strict=True)
    return sum(by_counts, Counter()), sum(by_all, Counter())


def _head() -> str:
    return " ".join(f"{outcome:>6}" for outcome in OUTCOMES)


def _print(fault: str, judged: tuple[Counter[str], Counter[str]]) -> None:
    by_counts, by_all = (" ".join(f"{found[outcome]:>6}" for outcome in OUTCOMES) for found in judged)
    print(f"{fault:<26}{judged[0].total():>8}{'':>14}{by_counts}{'':>29}{by_all}", flush=True)


def _status(named: Mapping[str, tuple[Counter[str], Counter[str]]], totals: tuple[Counter[str], Counter[str]]) -> int:
    """Print how near the aims are, and return 1 if one is missed."""
    missed = False
    for evidence, found in zip(("by counts", "with exact probabilities"), totals, strict=True):
        first, wrong = found["first"] / found.total(), found["wrong"] / found.total()
        equal = first + found["equal"] / found.total()
        print(f"{evidence}: first {first:.1%}, first or equal {equal:.1%}, wrong {wrong:.1%}")
        missed |= first < FIRST or wrong > WRONG
    for fault, judged in named.items():
        lacking = max(found["wrong"] + found["none"] for found in judged)
        if lacking > max(1, UNNAMED * judged[0].total()):
            print(f"missed: {lacking} cases of {fault} are not named")
            missed = True
    return int(missed)
