"""Proves that right simulators are called wrong as rarely as is stated.

Comparisons of simulators that sample the right distribution go through ``compare`` itself: circuits of six kinds, on 1
to 24 qubits, with 10 to 1,000,000 shots, on 1 to 6 simulators, with and without exact results, a tenth of them without
any reference. A *false alarm* is a comparison in which any simulator differs, or in which they fall into groups. There
may be as many as the stated rate makes likely. The p-values of each kind of test are counted, too, before they are
corrected: they may be twice too small, which is how exact their approximation is said to be.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from proofs.calibration_cases import KINDS, Case, case
from scipy.stats import binom

from gateway.compare import Comparison, Verdict, compare

RATE = 1e-2
"""The stated rate of false alarms; the default of ``compare`` would take a hundred million comparisons to prove."""

BAND = 0.999
"""The probability of the band of numbers of false alarms, both ends together."""

SMALL = (1e-2, 1e-3, 1e-4)
"""The p-values of each test are counted that are at most so large."""

FACTOR = 2
"""So much too small a p-value may be before it is corrected."""


@dataclass(slots=True)
class Tally:
    """What many comparisons came to.

    Args:
        comparisons: kind of comparison -> number.
        alarms: kind of comparison -> number of false alarms.
        found_by: kind of test -> number of false alarms that it raised.
        tests: kind of test -> number.
        small: kind of test, and the entry of ``SMALL`` -> number of p-values that are at most so large.
        errors: what simulators failed with.
    """

    comparisons: Counter[str] = field(default_factory=Counter)
    alarms: Counter[str] = field(default_factory=Counter)
    found_by: Counter[str] = field(default_factory=Counter)
    tests: Counter[str] = field(default_factory=Counter)
    small: Counter[tuple[str, float]] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)

    def add(self, drawn: Case, comparison: Comparison) -> None:
        """Count one comparison."""
        (judged,) = comparison.cases
        kinds = ["all", drawn.kind, f"reference: {judged.reference.kind}", _shots_in_words(drawn.shots)]
        self.comparisons.update(kinds)
        self.errors.update(row.error for row in judged.rows if row.error)
        for test in (test for row in judged.rows for test in row.tests):
            name = f"{test.name}, two samples" if test.other else test.name
            self.tests[name] += 1
            self.small.update((name, limit) for limit in SMALL if test.p_value <= limit)
        if any(row.verdict is Verdict.DIFFERS or row.group for row in judged.rows):
            self.alarms.update(kinds)
            self.found_by[_strongest(comparison)] += 1


def main(argv: Sequence[str]) -> int:
    """Print tables; return 1 if there are too many false alarms."""
    parser = argparse.ArgumentParser(prog="scripts/prove calibration", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="300 comparisons in place of 10,000")
    parser.add_argument("--comparisons", type=int)
    parser.add_argument("--seed", type=int, default=1, help="of circuits and simulators; default: 1")
    arguments = parser.parse_args(argv)
    number = arguments.comparisons or (300 if arguments.quick else 10_000)
    tally = tally_of(number, arguments.seed)
    _print_comparisons(tally)
    _print_tests(tally)
    return _status(tally)


def tally_of(number: int, seed: int) -> Tally:
    """Return what so many comparisons came to."""
    tally = Tally()
    for index in range(number):
        drawn = case(seed, index)
        tally.add(drawn, _compared(drawn))
    return tally


def most_likely(number: int, rate: float) -> tuple[int, int]:
    """Return the band within which a number of false alarms lies with a probability of 99.9 %."""
    outside = (1 - BAND) / 2
    return int(binom.ppf(outside, number, rate)), int(binom.ppf(1 - outside, number, rate))


def _compared(drawn: Case) -> Comparison:
    return compare(
        drawn.circuit,
        drawn.simulators,
        shots=drawn.shots,
        seed=drawn.seed,
        false_alarm_rate=RATE,
        exact=drawn.exact,
        reproduce=False,
        progress=None,
    )


def _shots_in_words(shots: int) -> str:
    digits = len(str(shots)) - 1
    return f"shots: {10**digits:,} and more"


def _strongest(comparison: Comparison) -> str:
    """Return the test with the smallest p-value, or that exact results differ."""
    tests = [test for row in comparison.rows for test in row.tests]
    strongest = min(tests, key=lambda test: test.p_value, default=None)
    if strongest is None or strongest.p_value > RATE:
        return "exact results"
    return f"{strongest.name}, two samples" if strongest.other else strongest.name


def _print_comparisons(tally: Tally) -> None:
    print(f"{'comparisons of right simulators':<36}{'number':>8}{'false alarms':>14}{'rate':>9}{'band':>12}")
    first = {kind: index for index, kind in enumerate(["all", *KINDS])}
    for kind in sorted(tally.comparisons, key=lambda kind: (first.get(kind, len(first)), kind)):
        number, alarms = tally.comparisons[kind], tally.alarms[kind]
        low, high = most_likely(number, RATE)
        print(f"{kind:<36}{number:>8,}{alarms:>14}{alarms / number:>9.2%}{f'{low} to {high}':>12}")


def _print_tests(tally: Tally) -> None:
    heads = "".join(f"{f'p <= {limit:g}':>13}" for limit in SMALL)
    print(f"\n{'tests, before correction':<36}{'number':>8}{heads}{'false alarms':>14}")
    for name, number in sorted(tally.tests.items()):
        rates = "".join(f"{tally.small[name, limit] / number:>13.5f}" for limit in SMALL)
        print(f"{name:<36}{number:>8,}{rates}{tally.found_by[name]:>14}")
    if tally.found_by["exact results"]:
        print(f"exact results differed in {tally.found_by['exact results']}")


def _status(tally: Tally) -> int:
    """Print what misses its bound, and return 1 if anything does."""
    missed = [f"failed: {error} ({number} times)" for error, number in tally.errors.items()]
    number, alarms = tally.comparisons["all"], tally.alarms["all"]
    most = most_likely(number, RATE)[1]
    print(f"\n{alarms} false alarms in {number:,} comparisons at a rate of {RATE:g}; at most {most} are likely")
    if alarms > most:
        missed.append(f"{alarms} false alarms are more than {most}")
    for (name, limit), small in tally.small.items():
        most = most_likely(tally.tests[name], FACTOR * limit)[1]
        if small > most:
            missed.append(f"{small} of {tally.tests[name]} p-values of {name} are at most {limit:g}: more than {most}")
    for line in missed:
        print(f"missed: {line}")
    return int(bool(missed))
