"""How far counts may stray from an exact distribution, with a stated rate of false alarms.

Both bounds hold for every number of shots and every distribution; nothing is asymptotic.

**One outcome.** The count of an outcome of probability ``p`` is binomial, so by Chernoff the
frequency ``f`` satisfies ``P(f >= x) <= exp(-n KL(x, p))`` for ``x >= p``, and likewise below, with
``KL(x, p) = x ln(x/p) + (1-x) ln((1-x)/(1-p))``. Over ``k`` outcomes and two sides,
``n KL(f, p) > ln(2 k / rate)`` happens for any of them with a probability of at most ``rate``.

**All together.** Let ``D`` be the total variation distance of the frequencies to the distribution.
Each term has ``E|f - p| <= sqrt(p (1-p) / n)`` (Jensen), so ``E D <= 1/2 sum sqrt(p (1-p) / n)``.
One shot changes ``D`` by ``1/n`` at most, so ``P(D >= E D + t) <= exp(-2 n t^2)`` (McDiarmid), and
``t = sqrt(ln(1/rate) / (2 n))``.

The rate is shared equally by the two.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

FALSE_ALARM = 1e-9
"""Probability that one right sample is called wrong; the suite compares some thousand."""

IMPOSSIBLE = 1e-12
"""Outcomes less likely than this must not occur at all."""


def total_variation(frequencies: Mapping[str, float], expected: Mapping[str, float]) -> float:
    """Return half the sum of the absolute differences."""
    keys = frequencies.keys() | expected.keys()
    return sum(abs(frequencies.get(key, 0.0) - expected.get(key, 0.0)) for key in keys) / 2


def total_variation_bound(expected: Mapping[str, float], shots: int, rate: float) -> float:
    """Return the bound that the total variation distance exceeds with a probability of at most ``rate``."""
    mean = sum(math.sqrt(max(p * (1 - p), 0.0) / shots) for p in expected.values()) / 2
    return mean + math.sqrt(math.log(1 / rate) / (2 * shots))


def divergence(frequency: float, p: float) -> float:
    """Return the Kullback-Leibler divergence of two binary distributions, in nats."""
    total = 0.0
    for x, y in ((frequency, p), (1 - frequency, 1 - p)):
        if x > 0:
            if y <= 0:
                return math.inf
            total += x * math.log(x / y)
    return total


def assert_drawn_from(
    counts: Mapping[str, int], expected: Mapping[str, float], false_alarm: float = FALSE_ALARM
) -> None:
    """Fail unless the counts can be a sample of the distribution."""
    shots = sum(counts.values())
    possible = {key: p for key, p in expected.items() if p > IMPOSSIBLE}
    impossible = counts.keys() - possible.keys()
    assert not impossible, f"these never occur: {sorted(impossible)[:8]}, expected {_in_words(possible)}"
    allowed = math.log(2 * len(possible) / (false_alarm / 2)) / shots
    for key, p in possible.items():
        frequency = counts.get(key, 0) / shots
        # Exact distributions sum to 1 only within rounding, and so may the probability of a certain outcome.
        deviation = divergence(frequency, min(p, 1.0)) if p < 1 - IMPOSSIBLE else 1.0 - frequency
        assert deviation <= allowed, f"{key} came {counts.get(key, 0)} times of {shots}; its probability is {p:.6f}"
    distance = total_variation({key: count / shots for key, count in counts.items()}, possible)
    bound = total_variation_bound(possible, shots, false_alarm / 2)
    assert distance <= bound, f"total variation {distance:.4f} > {bound:.4f} at {shots} shots"


def _in_words(distribution: Mapping[str, float]) -> str:
    likely = sorted(distribution.items(), key=lambda item: -item[1])[:8]
    return ", ".join(f"{key}: {p:.4f}" for key, p in likely)
