"""The independent cells whose sums the saddlepoint handles: Poisson cells for one sample, binomial cells for two.

A cell's values are tabulated as far as they matter. Where a cell's distribution is wide, only every so many values
are, at a third of a standard deviation: the trapezoidal rule is exact for so smooth a function up to exp(-170).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, xlogy

from gateway.compare.statistics.saddlepoint import Moments

Floats = NDArray[np.float64]


_ALMOST_ALL = 0.9


@dataclass(frozen=True, slots=True, eq=False)
class TabulatedCells:
    """Cells with any functions f_i, as tables that follow each other.

    Args:
        values: x less its mean.
        functions: f_i(x).
        log_weights: the logarithm of the probability of x, the sum of a cell's probabilities being 1.
        starts: where the table of each cell begins.
        cells: the cell of each entry.
        multiplicities: how many equal cells each cell stands for.
    """

    values: Floats
    functions: Floats
    log_weights: Floats
    starts: NDArray[np.intp]
    cells: NDArray[np.intp]
    multiplicities: Floats

    def moments(self, t: float, s: float) -> Moments:
        """Return the joint cumulant function and its derivatives."""
        with np.errstate(over="ignore", invalid="ignore"):
            exponents = self.log_weights + t * self.functions + s * self.values
            largest = np.maximum.reduceat(exponents, self.starts)
            weights = np.exp(exponents - largest[self.cells])
            norms = self._sums(weights)
            weighted_functions, weighted_values = weights * self.functions, weights * self.values
            f, x = self._sums(weighted_functions) / norms, self._sums(weighted_values) / norms
            ff = self._sums(weighted_functions * self.functions) / norms - f * f
            fx = self._sums(weighted_functions * self.values) / norms - f * x
            xx = self._sums(weighted_values * self.values) / norms - x * x
            return Moments(*(float(self.multiplicities @ sums) for sums in (largest + np.log(norms), f, x, ff, fx, xx)))

    def _sums(self, entries: Floats) -> Floats:
        return np.add.reduceat(entries, self.starts)


@dataclass(frozen=True, slots=True, eq=False)
class PoissonScores:
    """Poisson cells with linear functions: f_i(x) = score_i x.

    Args:
        rates: the mean of each cell.
        multiplicities: how many equal cells each cell stands for.
        scores: of one unit in each cell.
    """

    rates: Floats
    multiplicities: Floats
    scores: Floats

    def moments(self, t: float, s: float) -> Moments:
        """Return the joint cumulant function and its derivatives."""
        with np.errstate(over="ignore", invalid="ignore"):
            means = self.multiplicities * self.rates
            tilted = means * np.exp(t * self.scores + s)
            total = float(tilted.sum())
            weighted = tilted * self.scores
            value, statistic = total - float(means.sum()) * (1 + s), float(weighted.sum())
            return Moments(
                value, statistic, total - float(means.sum()), float(weighted @ self.scores), statistic, total
            )


@dataclass(frozen=True, slots=True, eq=False)
class BinomialScores:
    """Binomial cells with linear functions: f_i(x) = score_i x.

    Args:
        trials: of each cell.
        share: the probability of one success.
        multiplicities: how many equal cells each cell stands for.
        scores: of one success in each cell.
    """

    trials: Floats
    share: float
    multiplicities: Floats
    scores: Floats

    def moments(self, t: float, s: float) -> Moments:
        """Return the joint cumulant function and its derivatives."""
        trials, exponents = self.multiplicities * self.trials, t * self.scores + s
        mean = float(trials.sum()) * self.share
        log_norms = np.logaddexp(math.log1p(-self.share), math.log(self.share) + exponents)
        shares = np.exp(math.log(self.share) + exponents - log_norms)
        successes, variances = trials * shares, trials * shares * (1 - shares)
        return Moments(
            float(trials @ log_norms) - s * mean,
            float(successes @ self.scores),
            float(successes.sum()) - mean,
            float(variances @ self.scores**2),
            float(variances @ self.scores),
            float(variances.sum()),
        )


def deviance(counts: Floats, rates: Floats) -> Floats:
    """Return Poisson deviances: twice the log of how much likelier a count is if the rate is the count itself."""
    return np.asarray(2 * (xlogy(counts, counts / rates) - counts + rates))


def split_deviance(counts: Floats, trials: Floats, share: float) -> Floats:
    """Return the deviance of a binomial count: that of the successes and that of the failures."""
    failures = trials - counts
    return deviance(counts, trials * share) + deviance(failures, trials * (1 - share))


def poisson_cells(rates: Floats, multiplicities: Floats, weights: Floats, total: int) -> TabulatedCells:
    """Return Poisson cells with f_i = weight_i * deviance; given the total, no cell can hold more than that.

    A cell that holds almost all is left unbounded: its distribution would end in the middle.
    """
    spreads = np.sqrt(rates)
    largest = np.where(rates > _ALMOST_ALL * total, np.inf, total)
    layout = _Layout.of(rates, spreads, largest, _reach(rates, multiplicities, weights))
    x, rate = layout.values, rates[layout.cells]
    log_weights = xlogy(x, rate) - rate - gammaln(x + 1)
    return layout.table(rates, multiplicities, weights[layout.cells] * deviance(x, rate), log_weights)


def binomial_cells(trials: Floats, share: float, multiplicities: Floats, weights: Floats) -> TabulatedCells:
    """Return binomial cells with f_i = weight_i * deviance: one of two samples, given what both have together.

    Args:
        trials: of each cell: how often its outcome came in both samples.
        share: the part of all shots that are the first sample's, at most 1/2.
        multiplicities: how many equal cells each cell stands for.
        weights: of the deviances.
    """
    rates = trials * share
    spreads = np.sqrt(rates * (1 - share))
    layout = _Layout.of(rates, spreads, np.floor(trials), _reach(rates, multiplicities, weights))
    x, number = layout.values, trials[layout.cells]
    log_weights = gammaln(number + 1) - gammaln(x + 1) - gammaln(number - x + 1)
    log_weights += x * math.log(share) + (number - x) * math.log1p(-share)
    functions = weights[layout.cells] * split_deviance(x, number, share)
    return layout.table(rates, multiplicities, functions, log_weights)


def _reach(rates: Floats, multiplicities: Floats, weights: Floats) -> float:
    """Return how many standard deviations of a cell are tabulated.

    With k cells that count, a tail of 1e-20 begins at about T = k + 2 sqrt(46 k) + 92, where the cells are
    sqrt(T / k) times as wide as they are without T being given.
    """
    number = float(np.sum(multiplicities * weights * np.minimum(1, rates)) / max(weights.max(), 1e-300))
    number = max(number, 1.0)
    return 10 * math.sqrt(1 + 2 * math.sqrt(46 / number) + 92 / number)


@dataclass(frozen=True, slots=True, eq=False)
class _Layout:
    """Which values of each cell are tabulated."""

    values: Floats
    cells: NDArray[np.intp]
    starts: NDArray[np.intp]

    @classmethod
    def of(cls, rates: Floats, spreads: Floats, largest: Floats, reach: float) -> _Layout:
        """Return the values whose deviance is at most the square of the reach, and at least 0, 1 and 2."""
        strides = np.maximum(1, np.floor(spreads / 3))
        lowest = np.where(2 * rates <= reach**2, 0, np.floor(np.maximum(0, rates - reach * np.sqrt(rates))))
        highest = np.minimum(np.maximum(np.ceil(_with_deviance(rates, reach**2)), 2), largest)
        sizes = ((highest - lowest) // strides + 1).astype(np.intp)
        starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.intp)
        cells = np.repeat(np.arange(len(rates)), sizes)
        values = lowest[cells] + (np.arange(len(cells)) - starts[cells]) * strides[cells]
        return cls(values, cells, starts)

    def table(
        self, rates: Floats, multiplicities: Floats, functions: Floats, log_weights: NDArray[Any]
    ) -> TabulatedCells:
        """Return the cells with the given functions and the logarithms of their probabilities up to a constant."""
        largest = np.maximum.reduceat(log_weights, self.starts)
        norms = largest + np.log(np.add.reduceat(np.exp(log_weights - largest[self.cells]), self.starts))
        centred = self.values - rates[self.cells]
        return TabulatedCells(
            centred, functions, log_weights - norms[self.cells], self.starts, self.cells, multiplicities
        )


def _with_deviance(rates: Floats, wanted: float) -> Floats:
    """Return the count above the rate that has the wanted deviance; Newton's way down a convex function."""
    counts = rates + np.sqrt(rates * wanted) + wanted / 2
    for _ in range(8):
        slopes = np.log(counts / rates)
        excess = counts * slopes - counts + rates - wanted / 2
        counts = np.maximum(counts - excess / slopes, rates)
    return counts
