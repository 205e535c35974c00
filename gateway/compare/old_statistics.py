"""The distance between distributions, and a bound on the distance that chance explains."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping


def total_variation_distance(p: Mapping[str, float], q: Mapping[str, float]) -> float:
    """Return half the sum of the absolute differences of two distributions, from 0 (equal) to 1 (disjoint)."""
    return 0.5 * math.fsum(abs(p.get(key, 0.0) - q.get(key, 0.0)) for key in p.keys() | q.keys())


def distance_by_chance(exact: Iterable[float], shots: int, false_alarm_rate: float) -> float:
    """Return a bound on the distance between a distribution and the frequencies of ``shots`` samples of it.

    The mean distance is at most ``sum(sqrt(p (1 - p) / shots)) / 2`` (Jensen's inequality for each
    binomial count), and one shot moves the distance by at most ``1 / shots``, so that by McDiarmid's
    inequality it exceeds its mean by ``t`` with probability at most ``exp(-2 shots t**2)``.

    Args:
        exact: the probabilities of all outcomes.
        shots: the number of samples.
        false_alarm_rate: the probability with which the distance may exceed the bound.
    """
    mean = 0.5 * math.fsum(math.sqrt(max(p * (1 - p), 0.0) / shots) for p in exact)
    return min(mean + math.sqrt(math.log(1 / false_alarm_rate) / (2 * shots)), 1.0)
