from __future__ import annotations

from fractions import Fraction
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.compare.statistics.tails import (
    Binomial,
    Hypergeometric,
    binomial_upper,
    hypergeometric_tail,
    most_striking,
)


@given(st.integers(1, 60), st.data())
def test_the_upper_binomial_tail_is_the_sum_of_its_terms(trials, data):
    count, share = data.draw(st.integers(0, trials)), data.draw(st.sampled_from([Fraction(1, 2), Fraction(1, 1000)]))
    exact = sum(comb(trials, k) * share**k * (1 - share) ** (trials - k) for k in range(count, trials + 1))
    assert float(binomial_upper(count, trials, float(share))) == pytest.approx(float(exact), rel=1e-9)


@given(st.integers(1, 40), st.integers(1, 40), st.data())
def test_the_hypergeometric_tail_is_the_sum_of_its_terms(first, second, data):
    total = data.draw(st.integers(0, first + second))
    count = data.draw(st.integers(max(0, total - second), min(total, first)))
    terms = {k: comb(first, k) * comb(second, total - k) for k in range(max(0, total - second), min(total, first) + 1)}
    beyond = count * (first + second) >= total * first
    exact = sum(term for k, term in terms.items() if (k >= count if beyond else k <= count))
    assert hypergeometric_tail(count, (first, second), total) == pytest.approx(exact / sum(terms.values()), rel=1e-9)


def test_both_tails_of_large_counts_stay_exact():
    given_both = Hypergeometric(10**6, 10**6).p_values(np.array([501_500.0]), np.array([1e6]))  # its variance is a half
    assert given_both == pytest.approx(Binomial(10**6).p_values(np.array([502_121.0]), np.array([0.5])), rel=0.01)


def test_two_sided_p_values_are_at_most_1_and_never_0():
    law = Binomial(100)
    assert law.p_values(np.array([50.0, 100.0]), np.array([0.5, 1e-9])).tolist() == [1.0, 1e-300]
    assert Hypergeometric(10**6, 10**6).p_values(np.array([1e6]), np.array([1e6]))[0] == 1e-300


def test_what_the_probabilities_may_be_wrong_by_makes_the_tails_larger():
    impossible, certain = np.array([1.0, 99.0]), np.array([0.0, 1.0])
    assert Binomial(100, error=1e-4).p_values(impossible, certain) == pytest.approx([0.0199, 0.0199], rel=1e-2)


def test_the_most_striking_of_many_counts_has_the_smallest_p_value():
    random = np.random.default_rng(0)
    shares = random.dirichlet(np.ones(500))
    counts = random.multinomial(2000, shares).astype(float)
    for law, likelihoods in ((Binomial(2000), shares), (Hypergeometric(2000, 3000), counts + random.poisson(3, 500))):
        index, p_value = most_striking(law, counts, likelihoods)
        every = law.p_values(counts, likelihoods)
        assert p_value == every.min() == every[index]


def test_what_cannot_be_is_the_most_striking():
    assert most_striking(Binomial(100), np.array([50.0, 1.0]), np.array([0.5, 0.0])) == (1, 1e-300)
