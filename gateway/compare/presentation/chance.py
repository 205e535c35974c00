"""What chance alone may do to a single outcome or clbit: the interval behind each bar, and who lies outside of it.

The number of shots that an outcome of probability p gets is binomial. The interval holds it with a probability of
1 - rate, half of the rate at each end; a bar that ends outside is marked. Both are one rule, so that what is drawn and
what is marked never contradict each other. The caller divides the rate by the number of outcomes (Bonferroni).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Numbers = NDArray[np.float64]


def interval(probabilities: Numbers, shots: int, rate: float) -> tuple[Numbers, Numbers]:
    """Return the lowest and the highest share of the shots that chance explains, for each probability."""
    if not shots:
        return np.zeros_like(probabilities), np.ones_like(probabilities)
    law = stats.binom(shots, np.clip(probabilities, 0, 1))
    return np.maximum(law.ppf(rate / 2), 0) / shots, np.maximum(law.isf(rate / 2), 0) / shots


def outside(counts: NDArray[Any], shots: int, probabilities: Numbers, rate: float) -> NDArray[np.bool_]:
    """Return for each count whether it lies outside of the interval of its probability.

    The exact tails are computed only where a count is more than a standard deviation off: no other one is outside.
    """
    probabilities = np.clip(probabilities, 0, 1)
    expected = shots * probabilities
    off = np.abs(counts - expected) > np.sqrt(expected * (1 - probabilities))
    law = stats.binom(shots, probabilities[off])
    result = np.zeros(len(counts), dtype=bool)
    result[off] = (law.cdf(counts[off]) < rate / 2) | (law.sf(counts[off] - 1) < rate / 2)
    return result


def apart(
    first: NDArray[Any], first_shots: int, second: NDArray[Any], second_shots: int, rate: float
) -> NDArray[np.bool_]:
    """Return for each outcome whether two samples contradict each other.

    If they have one probability, the shots of both together fall into the first sample with a probability of
    ``first_shots / (first_shots + second_shots)`` each. The binomial law is a little wider than the exact
    hypergeometric one, and so errs on the quiet side.
    """
    together = first + second
    law = stats.binom(together, first_shots / max(first_shots + second_shots, 1))
    return np.asarray((law.cdf(first) < rate / 2) | (law.sf(first - 1) < rate / 2))
