"""Exact tails of single counts: binomial against a probability, hypergeometric between two samples."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, gammaln, xlogy

Floats = NDArray[np.float64]

SMALLEST = 1e-300
"""No p-value is smaller: none is zero."""

_STRIKING = 64


class CountLaw(Protocol):
    """How a count varies if nothing is wrong."""

    def deviances(self, counts: Floats, likelihoods: Floats) -> Floats:
        """Return the deviance of each count, half of which is about the logarithm of its tail."""

    def p_values(self, counts: Floats, likelihoods: Floats) -> Floats:
        """Return twice the smaller tail of each count, at most 1."""

    def difference(self, count: float, likelihood: float) -> float:
        """Return by how much the frequency is larger than expected."""


@dataclass(frozen=True, slots=True)
class Binomial:
    """Counts of a sample, and probabilities as their likelihoods.

    Args:
        shots: the number of trials.
        error: what the probabilities may be wrong by; each tail has the probability that makes it larger.
    """

    shots: int
    error: float = 0.0

    def deviances(self, counts: Floats, likelihoods: Floats) -> Floats:
        """Return the deviance of each count; infinite for what cannot be."""
        missing = self.shots - counts
        with np.errstate(divide="ignore", invalid="ignore"):
            halves = xlogy(counts, counts / (self.shots * likelihoods))
            halves += xlogy(missing, missing / (self.shots * (1 - likelihoods)))
        return np.asarray(2 * np.nan_to_num(halves, nan=0.0, posinf=np.inf))

    def p_values(self, counts: Floats, likelihoods: Floats) -> Floats:
        """Return the two-sided binomial p-values."""
        upper = binomial_upper(counts, self.shots, np.minimum(likelihoods + self.error, 1.0))
        lower = binomial_upper(self.shots - counts, self.shots, np.minimum(1 - likelihoods + self.error, 1.0))
        return np.asarray(np.clip(2 * np.minimum(upper, lower), SMALLEST, 1.0))

    def difference(self, count: float, likelihood: float) -> float:
        """Return the frequency less the probability."""
        return count / self.shots - likelihood


@dataclass(frozen=True, slots=True)
class Hypergeometric:
    """Counts of the first of two samples, and the counts of both together as their likelihoods.

    Args:
        first: the number of shots of the first sample.
        second: that of the second.
    """

    first: int
    second: int

    def deviances(self, counts: Floats, likelihoods: Floats) -> Floats:
        """Return the deviance of each table of two samples and two cases."""
        shots = self.first + self.second
        halves = np.zeros_like(counts)
        for sample, ones in ((self.first, counts), (self.second, likelihoods - counts)):
            for cell, total in ((ones, likelihoods), (sample - ones, shots - likelihoods)):
                halves += xlogy(cell, cell / np.maximum(total * (sample / shots), 1e-300))
        return np.asarray(2 * halves)

    def p_values(self, counts: Floats, likelihoods: Floats) -> Floats:
        """Return the two-sided hypergeometric p-values."""
        pairs = zip(counts.tolist(), likelihoods.tolist(), strict=True)
        tails = [hypergeometric_tail(count, (self.first, self.second), total) for count, total in pairs]
        return np.asarray(np.clip(2 * np.array(tails, dtype=np.float64), SMALLEST, 1.0))

    def difference(self, count: float, likelihood: float) -> float:
        """Return the frequency in the first sample less that in the second."""
        return count / self.first - (likelihood - count) / self.second


def binomial_upper(counts: Floats | float, trials: int, probabilities: Floats | float) -> Floats:
    """Return the probability of at least so many successes."""
    positive = np.maximum(counts, 1.0)
    return np.where(
        np.less_equal(counts, 0), 1.0, betainc(positive, np.maximum(trials - positive, 0) + 1, probabilities)
    )


def hypergeometric_tail(count: float, shots: tuple[int, int], total: float) -> float:
    """Return the probability of a count of the first sample, and of all counts further from the mean on its side.

    Args:
        count: how often something happened in the first sample.
        shots: of the two samples.
        total: how often it happened in both.
    """
    share = shots[0] / sum(shots)
    mean = total * share
    reach = 10 * math.sqrt(mean * (1 - share)) + 60
    if count >= mean:
        values = np.arange(count, min(total, shots[0], count + reach) + 1)
    else:
        values = np.arange(max(0, total - shots[1], count - reach), count + 1)
    logarithms = _log_choose(shots[0], values) + _log_choose(shots[1], total - values)
    return min(1.0, float(np.exp(logarithms - _log_choose(sum(shots), total)).sum()))


def most_striking(law: CountLaw, counts: Floats, likelihoods: Floats) -> tuple[int, float]:
    """Return the index and the p-value of the most striking count.

    Only the 64 counts with the largest deviances get their exact tails. The smallest tail is one of them but for ties,
    and another one is larger, which is the safe side.
    """
    deviances = law.deviances(counts, likelihoods)
    indices = np.arange(len(deviances))
    if len(deviances) > _STRIKING:
        indices = np.argpartition(deviances, len(deviances) - _STRIKING)[-_STRIKING:]
    p_values = law.p_values(counts[indices], likelihoods[indices])
    best = int(p_values.argmin())
    return int(indices[best]), float(p_values[best])


def _log_choose(number: float, chosen: Floats | float) -> Floats:
    return np.asarray(gammaln(number + 1) - gammaln(chosen + 1.0) - gammaln(number - chosen + 1.0))
