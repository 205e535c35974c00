"""How often clbits, and pairs of them, are 1: a glance that refutes most wrong readings before they are computed."""

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
        return bool(np.any(contradicts(self.observed, expected, self._shots)))


def contradicts(observed: Floats, expected: Floats, shots: float) -> NDArray[np.bool_]:
    """Return where relative frequencies cannot come from these probabilities."""
    expected = np.clip(expected, IMPOSSIBLE, 1 - IMPOSSIBLE)
    divergence = rel_entr(observed, expected) + rel_entr(1 - observed, 1 - expected)
    return np.asarray(shots * divergence > CERTAIN)


def ones(distribution: Distribution) -> Floats:
    """Return the probability of each clbit to be 1."""
    bits = bits_of_codes(distribution.codes, distribution.width).astype(bool)
    weights = distribution.probabilities
    return np.array([weights[bits[:, clbit]].sum() for clbit in range(distribution.width)]).clip(0, 1)


def pairs(distribution: Distribution) -> Floats:
    """Return the probability of each two clbits to be both 1, shape ``[clbits, clbits]``; `ones` is the diagonal."""
    bits = bits_of_codes(distribution.codes, distribution.width).astype(np.float64)
    both: Floats = bits.T @ (distribution.probabilities[:, None] * bits)
    return both.clip(0, 1)
