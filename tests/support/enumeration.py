"""All counts that a few shots can give, each with its probability: the truth that approximations are held to."""

from __future__ import annotations

from math import lgamma

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln, xlogy

Floats = npt.NDArray[np.float64]


def samples(shots: int, probabilities: Floats) -> tuple[Floats, Floats]:
    """Return all counts of a multinomial, shape ``[samples, outcomes]``, and the probability of each."""
    counts = _ways(shots, [shots] * len(probabilities))
    return counts, np.exp(lgamma(shots + 1) + (xlogy(counts, probabilities) - gammaln(counts + 1)).sum(axis=1))


def splits(shots: int, totals: Floats) -> tuple[Floats, Floats]:
    """Return all counts of the first of two samples, given those of both together, and the probability of each."""
    counts = _ways(shots, totals.astype(int).tolist())
    ways = (gammaln(totals + 1) - gammaln(counts + 1) - gammaln(totals - counts + 1)).sum(axis=1)
    number = totals.sum()
    return counts, np.exp(ways - (lgamma(number + 1) - lgamma(shots + 1) - lgamma(number - shots + 1)))


def tails(statistics: Floats, weights: Floats) -> Floats:
    """Return the probability that the statistic is at least as large, for each sample; ties count."""
    order = np.argsort(-statistics)
    ranked = statistics[order]
    last = np.searchsorted(-ranked, -(ranked - 1e-9 * (1 + np.abs(ranked))), side="right") - 1
    found = np.empty_like(statistics)
    found[order] = np.cumsum(weights[order])[last]
    return found


def _ways(shots: int, largest: list[int]) -> Floats:
    """Return all rows of whole numbers with that sum, none larger than allowed in its column."""
    rows, left = np.zeros((1, 0)), np.array([shots])
    for column, most in enumerate(largest):
        beyond = sum(largest[column + 1 :])
        low, high = np.maximum(0, left - beyond), np.minimum(left, most)
        sizes = high - low + 1
        values = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes) + np.repeat(low, sizes)
        rows = np.hstack([np.repeat(rows, sizes, axis=0), values[:, None]])
        left = np.repeat(left, sizes) - values
    return rows
