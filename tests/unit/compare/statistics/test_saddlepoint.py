"""The approximation of tails is held to the truth: all samples of small cases, simulated ones of larger cases."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.enumeration import samples, splits, tails

from gateway.compare.statistics.cells import (
    BinomialScores,
    PoissonScores,
    TabulatedCells,
    binomial_cells,
    deviance,
    poisson_cells,
    split_deviance,
)
from gateway.compare.statistics.classes import Classes
from gateway.compare.statistics.saddlepoint import Cells, quantile, standard_deviation, upper_tail

LEVELS = [1e-1, 1e-2, 1e-4, 1e-6, 1e-8, 1e-10]
SMALL = [
    ([0.25, 0.25, 0.25, 0.25], 40),
    ([0.97, 0.01, 0.01, 0.01], 80),
    ([0.4, 0.3, 0.2, 0.1], 60),
    ([0.5, 0.3, 0.15, 0.04, 0.01], 40),
    ([0.2] * 5, 40),
    ([0.7, 0.2, 0.1], 100),
]


def ones(number: int) -> np.ndarray:
    return np.ones(number)


def at_levels(cells: Cells, statistics: np.ndarray, weights: np.ndarray) -> list[float]:
    """Return the approximate tail over the true one, where the true one is nearest to each level."""
    true = tails(statistics, weights)
    ratios = []
    for level in LEVELS:
        at = int(np.abs(np.log(true) - np.log(level)).argmin())
        lower = statistics[statistics < statistics[at] - 1e-9]
        ratios.append(upper_tail(cells, statistics[at], step=statistics[at] - lower.max()) / true[at])
    return ratios


@pytest.mark.parametrize(("probabilities", "shots"), SMALL)
def test_the_tail_of_g_is_right_within_a_factor_of_two_down_to_1e_10(probabilities, shots):
    p = np.array(probabilities)
    counts, weights = samples(shots, p)
    cells = poisson_cells(shots * p, ones(len(p)), ones(len(p)), shots)
    ratios = at_levels(cells, deviance(counts, shots * p).sum(axis=1), weights)
    assert all(0.7 < ratio < 2.2 for ratio in ratios), ratios


@pytest.mark.parametrize(
    ("probabilities", "shots", "side"),
    [([0.97, 0.02, 0.01], 80, 1), ([0.4, 0.3, 0.2, 0.1], 60, 1), ([0.4, 0.3, 0.2, 0.1], 60, -1)],
)
def test_the_tail_of_cross_entropy_is_right_within_a_factor_of_two_down_to_1e_10(probabilities, shots, side):
    p = np.array(probabilities)
    counts, weights = samples(shots, p)
    cells = PoissonScores(shots * p, ones(len(p)), -side * np.log(p))
    ratios = at_levels(cells, counts @ cells.scores, weights)
    assert all(0.5 < ratio < 2.2 for ratio in ratios), ratios


@pytest.mark.parametrize(
    ("totals", "shots"), [([30, 30, 20, 10], 45), ([40, 25, 10, 3], 30), ([20, 20, 20, 20, 4], 20)]
)
def test_the_tail_of_g_between_two_samples_is_right_within_a_factor_of_three_down_to_1e_10(totals, shots):
    both = np.array(totals, dtype=float)
    share = shots / both.sum()
    counts, weights = splits(shots, both)
    cells = binomial_cells(both, share, ones(len(both)), ones(len(both)))
    ratios = at_levels(cells, split_deviance(counts, both, share).sum(axis=1), weights)
    assert all(0.6 < ratio < 3 for ratio in ratios), ratios


@pytest.mark.parametrize("size", [16, 1024])
@pytest.mark.parametrize("shots", [100, 3000])
def test_the_tail_of_many_unequal_outcomes_agrees_with_simulated_samples(size: int, shots: int):
    random = np.random.default_rng(size + shots)
    p = random.dirichlet(np.ones(size))
    _, values, sizes = Classes.of_values(p).cells()
    cells = poisson_cells(shots * values, sizes, ones(len(values)), shots)
    simulated = np.sort([deviance(random.multinomial(shots, p), shots * p).sum() for _ in range(4000)])
    for tail, slack in ((0.5, 0.04), (0.1, 0.15), (0.01, 0.5)):
        assert upper_tail(cells, simulated[int(len(simulated) * (1 - tail))]) == pytest.approx(tail, rel=slack)


def test_two_samples_of_a_wide_distribution_are_as_far_apart_as_chance_wants():
    random = np.random.default_rng(3)
    p = random.dirichlet(np.ones(1024))
    both = random.multinomial(2000, p)
    both = both[both > 0]
    _, values, sizes = Classes.of_values(both.astype(float)).cells()
    cells = binomial_cells(values, 0.5, sizes, ones(len(values)))
    draws = random.multivariate_hypergeometric(both, 1000, size=2000, method="marginals")
    simulated = np.sort(split_deviance(draws.astype(float), both.astype(float), 0.5).sum(axis=1))
    assert upper_tail(cells, simulated[1000]) == pytest.approx(0.5, rel=0.1)
    assert upper_tail(cells, simulated[1900]) == pytest.approx(0.05, rel=0.3)


@pytest.mark.parametrize(("probabilities", "shots"), [([0.3, 0.35, 0.35], 22), ([0.5, 0.3, 0.2], 9), ([0.25] * 4, 12)])
def test_no_sample_at_all_has_a_tail_that_is_far_from_the_truth(probabilities, shots):
    p = np.array(probabilities)
    counts, weights = samples(shots, p)
    statistics = deviance(counts, shots * p).sum(axis=1)
    _, values, sizes = Classes.of_values(p).cells()
    cells = poisson_cells(shots * values, sizes, ones(len(values)), shots)
    true = tails(statistics, weights)
    for at in np.flatnonzero(true < 0.2):
        step = statistics[at] - statistics[statistics < statistics[at] - 1e-9].max()
        assert 0.05 < upper_tail(cells, statistics[at], step=step) / true[at] < 20


@pytest.mark.parametrize("shots", [1, 2, 5])
def test_at_the_end_of_its_range_the_tail_is_bounded_from_above(shots: int):
    p = np.array([0.7, 0.2, 0.1])
    cells = poisson_cells(shots * p, ones(3), ones(3), shots)
    largest = deviance(np.array([0.0, 0, shots]), shots * p).sum()
    assert p[2] ** shots <= upper_tail(cells, largest) < 3 * p[2] ** shots
    assert upper_tail(cells, largest + 100) <= upper_tail(cells, largest)


def test_a_statistic_that_cannot_vary_is_never_striking():
    assert upper_tail(PoissonScores(np.array([10.0, 20.0]), ones(2), ones(2)), 40.0) == 1


def test_values_at_and_below_the_mean_are_not_striking():
    cells = poisson_cells(np.array([40.0, 30, 20, 10]), ones(4), ones(4), 100)
    mean, spread = cells.moments(0, 0).statistic, standard_deviation(cells)
    at = [upper_tail(cells, mean + deviations * spread) for deviations in (-100, -1, -0.2, -0.1, 0, 0.1, 0.2, 1)]
    assert at == sorted(at, reverse=True)
    assert all(0.25 < value <= 1 for value in at[:5])
    assert upper_tail(cells, mean + 9 * spread, step=np.inf) == 1, "no smaller value is possible"


def test_a_hopeless_statistic_has_a_tiny_tail_and_no_overflow():
    cells = poisson_cells(1e6 * np.array([0.4, 0.3, 0.2, 0.1]), ones(4), ones(4), 10**6)
    assert 0 <= upper_tail(cells, 1e6) < 1e-100
    scores = PoissonScores(1e6 * np.array([0.5, 0.3, 0.2]), ones(3), np.array([1.0, 20.0, 400.0]))
    assert 0 <= upper_tail(scores, 3.9e8) < 1e-100
    halves = BinomialScores(np.array([1e6, 1e5, 1e5]), 0.5, ones(3), np.array([0.0, 1.0, 5.0]))
    assert 0 <= upper_tail(halves, 5.9e5) < 1e-100


def test_equal_cells_may_be_one_with_a_multiplicity():
    rates = np.array([5.0] * 7 + [2.0] * 3)
    apart = poisson_cells(rates, ones(10), ones(10), 41)
    together = poisson_cells(np.array([5.0, 2.0]), np.array([7.0, 3.0]), ones(2), 41)
    assert upper_tail(apart, 30.0) == pytest.approx(upper_tail(together, 30.0), rel=1e-6)


def test_wide_cells_are_as_exact_with_every_so_many_values_as_with_all():
    rates = np.array([5000.0, 3000.0, 2000.0])
    values = np.arange(20_001.0)
    few = poisson_cells(rates, ones(3), ones(3), 10_000).moments(0.2, 0.001)
    full = [
        TabulatedCells(values - rate, deviance(values, np.array(rate)), _poisson(values, rate), *_one(values))
        for rate in rates
    ]
    assert few.value == pytest.approx(sum(cell.moments(0.2, 0.001).value for cell in full), rel=1e-9)
    assert few.variance == pytest.approx(sum(cell.moments(0.2, 0.001).variance for cell in full), rel=1e-9)


def _poisson(values: np.ndarray, rate: float) -> np.ndarray:
    logarithms = np.concatenate([[0.0], np.cumsum(np.log(values[1:]))])
    return values * np.log(rate) - rate - logarithms


def _one(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return np.array([0]), np.zeros(len(values), dtype=int), ones(1)


@pytest.mark.parametrize("level", [1e-2, 1e-6, 1e-9])
def test_a_quantile_has_the_tail_that_was_asked_for(level: float):
    for rates in ([50.0, 30, 20], [0.2] * 200, [500.0, 1, 1, 1]):
        cells = poisson_cells(np.array(rates), ones(len(rates)), ones(len(rates)), round(sum(rates)))
        assert upper_tail(cells, quantile(cells, level)) == pytest.approx(level, rel=0.05)


@given(
    st.lists(st.floats(0.001, 1), min_size=3, max_size=6),
    st.integers(1, 10**6),
    st.floats(0, 1, exclude_max=True),
    st.floats(0, 10),
)
def test_a_tail_is_a_probability_whatever_the_cells_and_the_value(weights, shots, step, deviations):
    p = np.array(weights) / sum(weights)
    cells = poisson_cells(shots * p, ones(len(p)), ones(len(p)), shots)
    value = cells.moments(0, 0).statistic + deviations * standard_deviation(cells)
    tail = upper_tail(cells, value, step=step)
    assert 0 <= tail <= 1
    assert upper_tail(cells, value + 30 * standard_deviation(cells), step=step) <= tail + 1e-12
