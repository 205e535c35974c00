"""What is said to be found 99 times in 100 is found about so often, by the tests themselves."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from gateway.compare.statistics import tests
from gateway.compare.statistics.detectable import detectable, shots_needed
from gateway.compare.statistics.outcomes import Distribution, Sample, encode
from gateway.compare.statistics.reference import prepare

RATE = 1e-6 / 6
RUNS = 100
LEAST = 90
"""Of 100 that are each found with a probability of 0.97, fewer than 90 come once in 3,000 times."""


def distribution(probabilities: np.ndarray) -> Distribution:
    (codes,) = np.nonzero(probabilities)
    return Distribution(len(probabilities).bit_length() - 1, codes.astype(np.int64), probabilities[codes])


def flat(width: int) -> np.ndarray:
    return np.random.default_rng(width).dirichlet(np.ones(2**width))


def product(width: int, share: float) -> np.ndarray:
    ones = np.bitwise_count(np.arange(2**width))
    return share**ones * (1 - share) ** (width - ones)


BELL = np.array([0.5, 0, 0, 0.5])
CASES = [(BELL, 1000), (flat(4), 300), (flat(6), 1000), (flat(10), 1000), (flat(10), 10_000), (product(8, 0.2), 3000)]


def found(right: np.ndarray, shots: int, wrong: Callable[[np.random.Generator], np.ndarray]) -> int:
    """Return how many of a hundred samples of wrong distributions any test finds."""
    prepared, random, number = prepare(distribution(right)), np.random.default_rng(shots), 0
    for _ in range(RUNS):
        probabilities = wrong(random)
        counts = random.multinomial(shots, probabilities / probabilities.sum())
        (codes,) = np.nonzero(counts)
        sample = Sample(prepared.width, codes.astype(np.int64), counts[codes])
        number += min(test.p_value for test in tests.against(sample, prepared)) < RATE
    return number


@pytest.mark.parametrize(("right", "shots"), CASES, ids=range(len(CASES)))
def test_a_mixture_with_the_uniform_distribution_is_found(right: np.ndarray, shots: int):
    distance = detectable(distribution(right), shots, rate=RATE).depolarised
    share = distance / (np.abs(right - 1 / len(right)).sum() / 2)
    assert found(right, shots, lambda _: (1 - share) * right + share / len(right)) >= LEAST


@pytest.mark.parametrize(("right", "shots"), CASES[1:], ids=range(1, len(CASES)))
def test_outcomes_a_little_up_and_down_at_random_are_found(right: np.ndarray, shots: int):
    change = 2 * detectable(distribution(right), shots, rate=RATE).hardest
    signs = np.resize([1, -1], len(right))
    assert change < 1
    assert found(right, shots, lambda random: right * (1 + change * random.permutation(signs))) >= LEAST


@pytest.mark.parametrize(("right", "shots"), CASES, ids=range(len(CASES)))
def test_one_outcome_too_many_is_found(right: np.ndarray, shots: int):
    distance = detectable(distribution(right), shots, rate=RATE).one_outcome

    def wrong(random: np.random.Generator) -> np.ndarray:
        outcome = random.choice(np.flatnonzero(right))
        share = distance / (1 - right[outcome])
        return (1 - share) * right + share * np.eye(len(right))[outcome]

    assert found(right, shots, wrong) >= LEAST


@pytest.mark.parametrize(("right", "shots"), [CASES[0], CASES[5]], ids=["bell", "product"])
def test_a_clbit_that_is_inverted_now_and_then_is_found(right: np.ndarray, shots: int):
    distance = detectable(distribution(right), shots, rate=RATE).one_bit
    inverted = right[np.arange(len(right)) ^ 1]
    share = distance / (np.abs(right - inverted).sum() / 2)
    assert found(right, shots, lambda _: (1 - share) * right + share * inverted) >= LEAST


def test_a_fault_half_as_large_is_missed_more_often_than_not():
    right, shots = CASES[3]
    change = detectable(distribution(right), shots, rate=RATE).hardest
    signs = np.resize([1, -1], len(right))
    assert found(right, shots, lambda random: right * (1 + change * random.permutation(signs))) < RUNS / 2


@pytest.mark.parametrize("fault", ["hardest", "depolarised", "one_outcome", "one_bit"])
def test_the_shots_for_a_distance_find_that_distance_and_not_much_less(fault: str):
    right = distribution(flat(5))
    shots = shots_needed(right, 0.05, rate=RATE, fault=fault)
    assert 0.049 < getattr(detectable(right, shots, rate=RATE), fault) <= 0.05


def test_more_shots_find_less_and_a_stricter_rate_finds_more_only():
    right = distribution(flat(6))
    few, many = (detectable(right, shots, rate=RATE) for shots in (1000, 100_000))
    strict = detectable(right, 1000, rate=1e-12)
    for fault in ("hardest", "depolarised", "one_outcome"):
        assert getattr(many, fault) < getattr(few, fault) < getattr(strict, fault)


def test_one_possible_outcome_leaves_only_impossible_ones_to_find():
    found_ = detectable(distribution(np.eye(8)[5]), 1000, rate=RATE)
    assert found_.hardest == found_.one_outcome == pytest.approx(found_.depolarised, rel=1e-2)
    assert 0 < found_.hardest < 0.01


def test_ten_shots_show_no_difference_that_is_spread_over_a_thousand_outcomes():
    assert detectable(distribution(flat(10)), 10, rate=RATE).hardest == 1


FEW = [[0.68, 0.32], [0.956, 0.044], [0.48, 0.28, 0.24, 0.0], [0.52, 0.27, 0.15, 0.06], [0.78, 0.21, 0.006, 0.004]]


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("right", FEW)
@pytest.mark.parametrize("shots", [100, 1000, 10_000])
def test_the_largest_of_few_outcomes_is_found_to_come_too_often_or_too_rarely(
    right: list[float], shots: int, sign: int
):
    shares = np.array(right)
    hardest = detectable(distribution(shares), shots, rate=RATE).hardest
    change = min(hardest, shares[1:].sum()) if sign > 0 else -hardest
    wrong = np.append(right[0] + change, shares[1:] * (1 - change / shares[1:].sum()))
    assert found(shares, shots, lambda _: wrong) >= LEAST or change < hardest


@pytest.mark.parametrize("shots", [1, 10, 100, 1000])
def test_whatever_is_further_than_all_outcomes_but_a_certain_one_is_seen_in_that_one(shots: int):
    rare = np.array([0.9999, 0.00005, 0.00005, 0])
    hardest = detectable(distribution(rare), shots, rate=RATE).hardest
    assert hardest == 1 if shots == 1 else 1e-4 < hardest < 1
    shares = np.array([1 - hardest, hardest / 2, hardest / 2, 0])
    assert found(rare, shots, lambda _: shares) >= (LEAST if hardest < 1 else 0)


def test_wide_outcomes_and_no_clbits_at_all_are_no_obstacle():
    wide = Distribution(100, encode(["0" * 100, "1" * 100], 100), np.array([0.5, 0.5]))
    assert detectable(wide, 1000, rate=RATE).one_bit < 0.02
    none = Distribution(0, np.zeros(1, dtype=np.int64), np.ones(1))
    assert detectable(none, 1000, rate=RATE).one_bit == 1


def test_a_distance_that_takes_too_many_shots_takes_the_most_that_are_said():
    assert shots_needed(distribution(flat(4)), 1e-9, rate=RATE) == 10**15
