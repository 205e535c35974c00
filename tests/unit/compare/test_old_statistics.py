from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.compare.old_statistics import distance_by_chance, total_variation_distance

distributions = st.dictionaries(st.sampled_from("abcdef"), st.floats(0.01, 1), min_size=1).map(
    lambda weights: {key: weight / sum(weights.values()) for key, weight in weights.items()}
)


def test_the_distance_is_zero_for_equal_and_one_for_disjoint_distributions():
    assert total_variation_distance({"0": 0.5, "1": 0.5}, {"1": 0.5, "0": 0.5}) == 0
    assert total_variation_distance({"0": 1.0}, {"1": 1.0}) == 1
    assert total_variation_distance({"0": 0.75, "1": 0.25}, {"0": 0.5, "1": 0.5}) == 0.25


@given(distributions, distributions, distributions)
def test_the_distance_is_a_metric(p, q, r):
    distance = total_variation_distance(p, q)
    assert 0 <= distance <= 1 + 1e-12
    assert distance == pytest.approx(total_variation_distance(q, p))
    assert distance <= total_variation_distance(p, r) + total_variation_distance(r, q) + 1e-12


@given(distributions, st.integers(1, 10**6))
def test_the_bound_shrinks_with_shots_and_grows_with_certainty(p, shots):
    bound = distance_by_chance(p.values(), shots, 1e-6)
    assert 0 < bound <= 1
    assert distance_by_chance(p.values(), 4 * shots, 1e-6) <= bound
    assert distance_by_chance(p.values(), shots, 1e-9) >= bound


@pytest.mark.parametrize("size", [1, 2, 64, 1000])
@pytest.mark.parametrize("shots", [1, 100, 10_000])
def test_honest_samples_stay_within_the_bound(size: int, shots: int):
    generator = np.random.default_rng(size * shots)
    exact = generator.dirichlet(np.ones(size))
    keys = [str(k) for k in range(size)]
    p = dict(zip(keys, map(float, exact), strict=True))
    bound = distance_by_chance(p.values(), shots, 0.01)
    exceeded = 0
    for _ in range(200):
        sample = dict(zip(keys, generator.multinomial(shots, exact) / shots, strict=True))
        exceeded += total_variation_distance(sample, p) > bound
    assert exceeded <= 10, "2 of 200 are expected at most; more than 10 happen once in 10**4"


def test_a_small_error_is_seen_with_enough_shots():
    bound = distance_by_chance([0.5, 0.5], 100_000, 1e-6)
    assert total_variation_distance({"0": 0.52, "1": 0.48}, {"0": 0.5, "1": 0.5}) > bound
