"""Readout errors on all clbits at once, fitted to what was observed.

Errors multiply the Walsh-Hadamard transform of a distribution: if clbit k is read wrong with probability e_k, the
entry of a set of clbits gets the factor ``1 - 2 e_k`` for each of them. The logarithms of these factors are therefore
the solution of linear equations, from which the likelihood is improved one clbit after the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from gateway.compare.diagnosis.hypotheses import Hypothesis, Prediction
from gateway.compare.diagnosis.mixtures import best_share, percent, uniform
from gateway.compare.statistics.outcomes import Distribution, bits_of_codes
from gateway.compare.statistics.parities import walsh_hadamard

MOST_CLBITS = 12
"""The number of clbits up to which a readout error on each of them is fitted."""

_SWEEPS = 20
_SETTLED = 1e-12
_NO_ERROR = 1e-9
_FACTORS = (0.01, 1.0)
"""The factors of the transform that errors can cause; chance makes others of entries that are almost 0."""

Floats = NDArray[np.float64]


def readout_errors(reference: Distribution, observed: Distribution, written: Sequence[int]) -> Iterator[Hypothesis]:
    """Yield the hypotheses of an error on every clbit that the circuit writes; the same one, or each its own."""
    if 1 < len(written) <= MOST_CLBITS:
        errors = _Errors(reference, observed, written)
        yield Hypothesis("readout-error", errors.common, 1, "common readout error")
        yield Hypothesis("readout-error", errors.individual, len(written), "individual readout errors")


class _Errors:
    """A readout error on each of some clbits.

    Args:
        reference: the right distribution.
        observed: the relative frequencies, or the exact probabilities, to which the errors are fitted.
        clbits: those that are written; at most ``MOST_CLBITS``.
    """

    def __init__(self, reference: Distribution, observed: Distribution, clbits: Sequence[int]) -> None:
        self._clbits = sorted(clbits)
        self._outcomes = uniform(reference.width, self._clbits)
        self._places = self._index(self._outcomes)
        self._observed = self._dense(observed)
        self._spectrum = walsh_hadamard(self._dense(reference))
        self._members = np.arange(len(self._spectrum))[:, None] >> np.arange(len(self._clbits)) & 1

    def common(self) -> Prediction | None:
        """Return the prediction for the same probability of an error on each clbit."""
        ends = _NO_ERROR, 0.5 - _NO_ERROR
        if self._slope(ends[0]) <= 0 or self._slope(ends[1]) >= 0:
            return None
        rate = float(brentq(self._slope, *ends, xtol=1e-15, rtol=1e-14))
        return self._prediction(np.full(len(self._clbits), rate), f"a readout error of {percent(rate)} on every clbit")

    def individual(self) -> Prediction | None:
        """Return the prediction for a probability of each clbit's own."""
        rates = self._rates
        words = f"readout errors of {percent(rates.min())} to {percent(rates.max())} on the clbits"
        return self._prediction(rates, words) if rates.any() else None

    def _slope(self, rate: float) -> float:
        """Return the derivative of the log-likelihood by the common probability of an error."""
        sizes = self._members.sum(axis=1)
        factors = (1 - 2 * rate) ** sizes
        probabilities = self._inverse(self._spectrum * factors)
        slopes = self._inverse(self._spectrum * factors * sizes * (-2 / (1 - 2 * rate)))
        seen = self._observed > 0
        return float((self._observed[seen] * slopes[seen] / np.maximum(probabilities[seen], 1e-300)).sum())

    @cached_property
    def _rates(self) -> Floats:
        rates = self._first_rates()
        for _ in range(_SWEEPS):
            before = rates.copy()
            for place in range(len(rates)):
                rates[place] = 0
                others = np.maximum(self._inverse(self._spectrum * self._factors(rates)), 0)
                flipped = others.reshape(-1, 2, 1 << place)[:, ::-1].ravel()
                rates[place] = min(best_share(others, flipped, self._observed) or 0, 0.5)
            if np.abs(rates - before).max() <= _SETTLED:
                break
        return rates

    def _first_rates(self) -> Floats:
        weights = np.abs(self._spectrum)
        ratios = walsh_hadamard(self._observed) / np.where(weights > _SETTLED, self._spectrum, 1)
        weights[(ratios < _FACTORS[0]) | (weights <= _SETTLED)] = 0
        logarithms = np.log(np.clip(ratios, *_FACTORS))
        solution = np.linalg.lstsq(self._members * weights[:, None], logarithms * weights)[0]
        rates: Floats = np.clip((1 - np.exp(solution)) / 2, 0, 0.5)
        return rates

    def _factors(self, rates: Floats) -> Floats:
        factors: Floats = np.where(self._members == 1, 1 - 2 * rates, 1.0).prod(axis=1)
        return factors

    def _inverse(self, spectrum: Floats) -> Floats:
        return walsh_hadamard(spectrum / len(spectrum))

    def _prediction(self, rates: Floats, detail: str) -> Prediction:
        values = np.maximum(self._inverse(self._spectrum * self._factors(rates)), 0)[self._places]
        return Prediction(Distribution(self._outcomes.width, self._outcomes.codes, values), detail)

    def _dense(self, distribution: Distribution) -> Floats:
        dense = np.zeros(1 << len(self._clbits))
        np.add.at(dense, self._index(distribution), distribution.probabilities)
        return dense

    def _index(self, distribution: Distribution) -> NDArray[np.int64]:
        bits = bits_of_codes(distribution.codes, distribution.width)[:, self._clbits]
        return bits.astype(np.int64) @ (1 << np.arange(len(self._clbits)))
