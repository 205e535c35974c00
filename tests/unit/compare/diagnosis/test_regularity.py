from __future__ import annotations

import numpy as np
import pytest

from gateway.compare.diagnosis.regularity import too_regular
from gateway.compare.statistics.outcomes import Distribution, Sample

RANDOM = np.random.default_rng(11)


def skewed(number: int) -> Distribution:
    weights = RANDOM.exponential(size=number)
    return Distribution(14, np.arange(number), weights / weights.sum())


def sample_of(counts: np.ndarray) -> Sample:
    return Sample(14, np.flatnonzero(counts), counts[counts > 0])


def systematic(distribution: Distribution, shots: int) -> Sample:
    """Return counts whose sums are the expected ones, rounded."""
    ends = np.round(shots * np.cumsum(distribution.probabilities)).astype(int)
    return sample_of(np.diff(ends, prepend=0))


@pytest.mark.parametrize(("outcomes", "shots"), [(2, 100), (3, 1000), (20, 300)])
def test_the_bound_is_never_smaller_than_the_probability(outcomes, shots):
    distribution = skewed(outcomes)
    bounds = np.array(
        [too_regular([sample_of(counts)], distribution) for counts in
         RANDOM.multinomial(shots, distribution.probabilities, size=2000)]
    )  # fmt: skip
    for level in (0.3, 0.1, 0.03, 0.01):
        assert (bounds <= level).mean() <= level


@pytest.mark.parametrize(("outcomes", "shots"), [(16, 1000), (64, 10_000), (10_000, 100_000)])
def test_counts_that_are_evenly_spread_are_too_regular(outcomes, shots):
    distribution = skewed(outcomes)
    assert too_regular([systematic(distribution, shots)], distribution) < 1e-9


def test_two_outcomes_become_suspicious_by_repetition():
    fair = Distribution(14, np.arange(2), np.array([0.5, 0.5]))
    run = sample_of(np.array([500, 500]))
    assert 0.02 < too_regular([run], fair) < 0.2
    assert too_regular([run] * 10, fair) < 1e-6


def test_counts_that_are_far_off_are_not_regular():
    distribution = skewed(8)
    assert too_regular([sample_of(np.array([0, 0, 0, 0, 0, 0, 0, 900]))], distribution) == 1
    assert too_regular([sample_of(np.array([0] * 8 + [900]))], distribution) == 1


def test_no_shots_are_not_regular():
    assert too_regular([sample_of(np.zeros(8, dtype=int))], skewed(8)) == 1
    assert too_regular([], skewed(8)) == 1


@pytest.mark.parametrize("outcomes", [0, 2])
def test_without_any_probability_nothing_is_regular(outcomes):
    nothing = Distribution(14, np.arange(outcomes), np.zeros(outcomes))
    assert too_regular([sample_of(np.array([500, 500]))], nothing) == 1


def test_a_certain_outcome_is_not_regular():
    assert too_regular([sample_of(np.array([1000]))], Distribution(14, np.arange(1), np.ones(1))) == 1
