"""What chance explains at one outcome, and what it does not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from gateway.compare.presentation import chance

PROBABILITIES = np.array([0.0, 1e-9, 0.002, 0.03, 0.5, 0.97, 1.0])


@pytest.mark.parametrize("shots", [1, 40, 10_000])
@pytest.mark.parametrize("rate", [0.05, 1e-6])
def test_what_is_marked_is_what_lies_outside_the_band(shots: int, rate: float) -> None:
    low, high = chance.interval(PROBABILITIES, shots, rate)
    for count in {*range(min(shots, 400) + 1), shots // 2, shots - 1, shots}:
        counts = np.full(len(PROBABILITIES), count)
        outside = (count / shots < low) | (count / shots > high)
        np.testing.assert_array_equal(chance.outside(counts, shots, PROBABILITIES, rate), outside)


def test_the_band_holds_all_but_the_rate() -> None:
    low, high = chance.interval(PROBABILITIES, 500, 1e-3)
    law = stats.binom(500, PROBABILITIES)
    outside = law.cdf(np.round(500 * low) - 1) + law.sf(np.round(500 * high))
    assert (outside <= 1e-3).all()


def test_what_never_happens_happens_never() -> None:
    low, high = chance.interval(np.array([0.0]), 10_000, 1e-6)
    assert low == high == 0
    assert chance.outside(np.array([1]), 10_000, np.array([0.0]), 1e-6)


def test_without_shots_anything_is_possible() -> None:
    low, high = chance.interval(PROBABILITIES, 0, 1e-6)
    assert (low == 0).all()
    assert (high == 1).all()


def test_two_samples_of_different_sizes_are_held_against_each_other() -> None:
    first, second = np.array([100, 130, 0]), np.array([1_000, 1_000, 500])
    assert chance.apart(first, 1_000, second, 10_000, 1e-3).tolist() == [False, False, True]
    assert chance.apart(np.array([0]), 1_000, np.array([0]), 10_000, 0.05).tolist() == [False]


def test_right_samples_are_marked_as_rarely_as_stated() -> None:
    rng = np.random.default_rng(5)
    probabilities = rng.dirichlet(np.ones(50))
    marked = 0
    for _ in range(400):
        counts = rng.multinomial(1_000, probabilities)
        marked += bool(chance.outside(counts, 1_000, probabilities, 0.05 / 50).any())
    assert marked < stats.binom(400, 0.05).isf(1e-6)
