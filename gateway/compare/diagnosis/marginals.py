"""How often each clbit is 1: a glance that refutes most wrong readings before their distribution is computed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import rel_entr

from gateway.compare.statistics.outcomes import Distribution, bits_of_codes

CERTAIN = 40.0
"""Twice exp(-40) bounds the probability that chance refutes a reading (Chernoff's bound of the binomial tail)."""

IMPOSSIBLE = 1e-12
"""Rounding may make exact probabilities of 0 as large."""

Floats = NDArray[np.float64]


class Marginals:
    """The probability of each clbit to be 1, right and observed.

    Args:
        reference: the right distribution.
        observed: relative frequencies, or exact probabilities.
        shots: how many shots the frequencies come from; for exact probabilities, any large number.
    """

    def __init__(self, reference: Distribution, observed: Distribution, shots: float) -> None:
        self.right, self.observed = ones(reference), ones(observed)
        self._shots = shots

    def suspects(self, most: int) -> list[int]:
        """Return all clbits, or so many of those that deviate most; the one that deviates most is the first."""
        order: list[int] = np.argsort(-np.abs(self.right - self.observed), kind="stable")[:most].tolist()
        return order

    def refute(self, expected: Floats) -> bool:
        """Return whether what was observed cannot come from clbits that are 1 with these probabilities."""
        expected = np.clip(expected, IMPOSSIBLE, 1 - IMPOSSIBLE)
        divergence = rel_entr(self.observed, expected) + rel_entr(1 - self.observed, 1 - expected)
        return bool(np.any(self._shots * divergence > CERTAIN))


def ones(distribution: Distribution) -> Floats:
    """Return the probability of each clbit to be 1."""
    bits = bits_of_codes(distribution.codes, distribution.width).astype(bool)
    weights = distribution.probabilities
    return np.array([weights[bits[:, clbit]].sum() for clbit in range(distribution.width)]).clip(0, 1)
