"""The power of single tests is what samples of the fault show."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import betainc

from gateway.compare.statistics.cells import deviance
from gateway.compare.statistics.power import POWER, DevianceSight, seen_probability


@pytest.mark.parametrize(("shots", "probability"), [(1000, 0.5), (1000, 1e-12), (10**6, 0.01), (30, 0.2)])
def test_the_probability_that_is_seen_gives_striking_counts_99_times_in_100(shots: int, probability: float):
    level = 1e-7
    seen = seen_probability(shots, probability, level)
    critical = next(count for count in range(1, shots + 1) if betainc(count, shots - count + 1, probability) <= level)
    assert betainc(critical, shots - critical + 1, seen) == pytest.approx(POWER)


def test_nothing_is_seen_where_no_count_is_striking():
    assert seen_probability(1, 0.5, 1e-7) == math.inf
    assert seen_probability(1000, 1.0, 1e-7) == math.inf


@pytest.mark.parametrize(("size", "shots"), [(8, 1000), (64, 300), (64, 10_000)])
def test_goodness_of_fit_sees_a_fault_about_as_often_as_it_is_said_to(size: int, shots: int):
    random = np.random.default_rng(size)
    p = random.dirichlet(np.ones(size))
    ones, cells = np.ones(size), np.arange(size)
    sight = DevianceSight.of(shots * p, ones, ones, shots, 1e-6)
    signs = np.resize([1.0, -1.0], size)
    signs -= (signs * p).sum()
    sizes = np.linspace(0.01, 0.9, 90)
    smallest = next(fault for fault in sizes if sight.sees(cells, shots * p * (1 + fault * signs), ones))
    statistics = deviance(random.multinomial(shots, p * (1 + smallest * signs), size=2000).astype(float), shots * p)
    assert (statistics.sum(axis=1) >= sight.critical).mean() > 0.97
    half = random.multinomial(shots, p * (1 + smallest * signs / 2), size=2000).astype(float)
    assert (deviance(half, shots * p).sum(axis=1) >= sight.critical).mean() < 0.5
