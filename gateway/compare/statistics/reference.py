"""A distribution made ready for the tests, once for all samples that are compared with it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.compare.record import SUM_TOLERANCE
from gateway.compare.statistics.classes import Classes
from gateway.compare.statistics.outcomes import Codes, Distribution, Sample, find
from gateway.compare.statistics.parities import OddWeights, Parities


@dataclass(frozen=True, slots=True, eq=False)
class PreparedReference:
    """The distribution that samples are tested against.

    Args:
        width: the number of clbits.
        codes: the possible outcomes: all but those that are negligible.
        probabilities: of the possible outcomes, which sum to 1.
        impossible: a bound on the probability of all other outcomes together.
        classes: possible outcomes that are equally likely.
        parities: the sets of clbits that are looked at.
        odd: the probability that a set of clbits has an odd number of ones.
    """

    width: int
    codes: Codes
    probabilities: NDArray[np.float64]
    impossible: float
    classes: Classes
    parities: Parities
    odd: OddWeights

    def counts_of(self, sample: Sample) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return the counts of the possible outcomes, and which outcomes of the sample are impossible."""
        places, possible = find(self.codes, sample.codes)
        counts = np.zeros(len(self.codes))
        counts[places[possible]] = sample.counts[possible]
        return counts, ~possible


def prepare(distribution: Distribution, *, error: float = 1e-12) -> PreparedReference:
    """Return a distribution made ready for the tests.

    Args:
        distribution: the exact probabilities.
        error: what rounding may have changed in them: 1e-12 for double precision, 1e-6 for single precision. The
            rarest outcomes, which all together are no likelier than that, should not happen, but may, with the sum of
            their probabilities and this error.

    Raises:
        ValueError: the probabilities do not sum to 1, or are not numbers from 0 to 1.
    """
    total = float(distribution.probabilities.sum())
    if not abs(total - 1) <= SUM_TOLERANCE:
        raise ValueError(f"the probabilities of the reference sum to {total}, not to 1")
    possible = ~_negligible(distribution.probabilities, error)
    codes, likely = distribution.codes[possible], distribution.probabilities[possible]
    impossible = min(1.0, max(0.0, 1.0 - float(likely.sum())) + error)
    probabilities = likely / likely.sum()
    parities = Parities.of(codes, distribution.width)
    odd = parities.odd_weights(codes, probabilities)
    return PreparedReference(
        distribution.width, codes, probabilities, impossible, Classes.of_values(probabilities), parities, odd
    )


def _negligible(probabilities: NDArray[np.float64], error: float) -> NDArray[np.bool_]:
    """Return which outcomes are all together no likelier than the error."""
    rare: NDArray[np.bool_] = probabilities <= error
    if probabilities[rare].sum() > error:
        order = np.flatnonzero(rare)[np.argsort(probabilities[rare], kind="stable")]
        rare[order[np.cumsum(probabilities[order]) > error]] = False
    return rare
