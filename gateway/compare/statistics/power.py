"""What single tests see: the smallest deviations that are beyond chance in 99 samples of 100. Nothing is simulated."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, betaincinv, ndtri

from gateway.compare.statistics.cells import deviance, poisson_cells
from gateway.compare.statistics.saddlepoint import quantile

Floats = NDArray[np.float64]

POWER = 0.99
"""A fault counts as seen if it is found with this probability."""

MARGIN = float(ndtri(POWER))
"""So many standard deviations beyond the critical value is the mean of a statistic that is seen."""


def seen_probability(shots: int, probability: float, level: float) -> float:
    """Return the smallest larger probability whose counts are seen to be too many for this one; infinity if none is.

    Args:
        shots: the number of trials.
        probability: the one that is expected.
        level: the probability of a false alarm.
    """
    if probability >= 1 or float(betainc(shots, 1, probability)) > level:
        return math.inf
    allowed, critical = int(shots * probability), shots
    while critical - allowed > 1:
        middle = (allowed + critical) // 2
        if float(betainc(middle, shots - middle + 1, probability)) <= level:
            critical = middle
        else:
            allowed = middle
    return float(betaincinv(critical, shots - critical + 1, POWER))


@dataclass(frozen=True, slots=True, eq=False)
class DevianceSight:
    """What a test of weighted deviances sees.

    Args:
        rates: the expected count of each cell.
        weights: of each cell.
        critical: the value of the statistic that is beyond chance.
        shots: the sum of all counts.
    """

    rates: Floats
    weights: Floats
    critical: float
    shots: int

    @classmethod
    def of(cls, rates: Floats, sizes: Floats, weights: Floats, shots: int, level: float) -> DevianceSight:
        """Return what the test sees at a probability of false alarms."""
        return cls(rates, weights, quantile(poisson_cells(rates, sizes, weights, shots), level), shots)

    def sees(self, cells: NDArray[np.intp], rates: Floats, sizes: Floats) -> bool:
        """Return whether the test sees counts with other means.

        Args:
            cells: the cell of each group of outcomes.
            rates: the mean counts of the outcomes of each group.
            sizes: the number of outcomes of each group.
        """
        expected, weights = self.rates[cells], self.weights[cells]
        mean, variance, covariance = _deviance_moments(rates)
        slopes = 2 * np.log(np.maximum(rates, _LEAST) / expected)
        mean = mean + deviance(rates, expected)
        variance = variance + slopes * (slopes * rates + 2 * covariance)
        covariance = covariance + slopes * rates
        spread = float(sizes @ (weights**2 * variance)) - float(sizes @ (weights * covariance)) ** 2 / self.shots
        return float(sizes @ (weights * mean)) - MARGIN * math.sqrt(max(spread, 0.0)) >= self.critical


_LEAST = 1e-12
_LARGEST = 1e4


@cache
def _moment_tables() -> tuple[Floats, Floats]:
    """Return logarithms of rates, and the moments of a Poisson variable's deviance from its own mean at these rates.

    The moments are mean, variance, and covariance with the variable, each divided by the rate where that is below 1.
    """
    rates = np.geomspace(_LEAST, _LARGEST, 600)
    cells = poisson_cells(rates, np.ones(len(rates)), np.ones(len(rates)), 1 << 62)
    weights, deviances, values = np.exp(cells.log_weights), cells.functions, cells.values
    mean = np.add.reduceat(weights * deviances, cells.starts)
    variance = np.add.reduceat(weights * deviances**2, cells.starts) - mean**2
    covariance = np.add.reduceat(weights * deviances * values, cells.starts)
    return np.log(rates), np.array([mean, variance, covariance]) / np.minimum(rates, 1.0)


def _deviance_moments(rates: Floats) -> tuple[Floats, Floats, Floats]:
    """Return mean and variance of the deviances of Poisson variables, and their covariance with the variables."""
    logarithms, table = _moment_tables()
    places, scales = np.log(np.clip(rates, _LEAST, _LARGEST)), np.minimum(rates, 1.0)
    mean, variance, covariance = (np.interp(places, logarithms, row) * scales for row in table)
    return mean, variance, covariance
