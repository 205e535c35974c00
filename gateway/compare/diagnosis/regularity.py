"""Whether counts are nearer to their expectations than chance would bring them.

The counts of a multinomial are independent Poisson variables given their sum, so that the probability of anything is at
most that for Poisson variables, divided by the probability of the sum. For these, Chernoff's bound of the probability
that the deviance G is at most g is ``exp(s g) * product of E exp(-s G_i)`` for every s > 0; the smallest of several is
taken. The p-value is a bound, never too small.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, xlogy

from gateway.compare.statistics.outcomes import Distribution, Sample, lookup

MOST_CELLS = 4096
"""Of more outcomes, the rarest are taken together."""

_TILTS = 2.0 ** np.arange(-1, 10)
_REACH = 9.0
"""So many standard deviations of a Poisson variable are summed; the rest counts as if it had no deviance."""

_REST = 1e-15
"""Bound of the probability of the rest."""

Floats = NDArray[np.float64]


def too_regular(runs: Sequence[Sample], right: Distribution) -> float:
    """Return a bound of the probability that independent shots deviate so little from a distribution.

    Args:
        runs: counts, each of independent shots if nothing is wrong.
        right: the distribution of each shot; one without any probability is that of nothing, and shows nothing.
    """
    exponents = np.zeros_like(_TILTS)
    if not right.probabilities.sum() > 0:
        return 1.0
    for run in runs:
        if run.shots:
            exponents += _exponents(run, right)
    return math.exp(min(0.0, exponents.min()))


def _exponents(run: Sample, right: Distribution) -> Floats:
    """Return the logarithm of the bound for one run and each tilt; 0, the bound that says nothing, is the largest."""
    counts, rates = _cells(run, right)
    if counts.sum() != run.shots:
        return np.full_like(_TILTS, np.inf)
    deviance = float(_deviance(counts, rates).sum())
    log_sum = run.shots * math.log(run.shots) - run.shots - float(gammaln(run.shots + 1))
    return _TILTS * deviance + _log_means(rates) - log_sum


def _cells(run: Sample, right: Distribution) -> tuple[Floats, Floats]:
    """Return the counts and the expected counts, the most likely outcomes first."""
    order = np.argsort(-right.probabilities, kind="stable")
    rates = right.probabilities[order] * (run.shots / right.probabilities.sum())
    counts = lookup(run.codes, run.counts, right.codes[order]).astype(np.float64)
    if len(order) > MOST_CELLS:
        starts = np.arange(MOST_CELLS)
        counts, rates = np.add.reduceat(counts, starts), np.add.reduceat(rates, starts)
    return counts[rates > 0], rates[rates > 0]


def _log_means(rates: Floats) -> Floats:
    """Return ``sum log E exp(-s G_i)`` of Poisson variables with these rates, for each tilt s."""
    spreads = np.ceil(_REACH * np.sqrt(rates)) + 12
    lowest = np.maximum(0, np.floor(rates - spreads))
    sizes = (np.ceil(rates + spreads) - lowest + 1).astype(np.intp)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.intp)
    rate, low = np.repeat(rates, sizes), np.repeat(lowest, sizes)
    x = low + (np.arange(len(rate)) - np.repeat(starts, sizes)).astype(np.float64)
    log_probabilities = xlogy(x, rate) - rate - gammaln(x + 1)
    deviance = _deviance(x, rate)
    return np.array(
        [np.log(np.add.reduceat(np.exp(log_probabilities - tilt * deviance), starts) + _REST).sum() for tilt in _TILTS]
    )


def _deviance(counts: Floats, rates: Floats) -> Floats:
    return np.asarray(2 * (xlogy(counts, counts / rates) - counts + rates))
