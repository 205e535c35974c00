"""What all tests together see of a fault, at a number of shots and a false-alarm rate."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gateway.compare.statistics.cells import PoissonScores
from gateway.compare.statistics.fit_tests import cube_root_weights, equal_weights, without_rare
from gateway.compare.statistics.nulls import OneSample
from gateway.compare.statistics.power import MARGIN, DevianceSight, seen_probability
from gateway.compare.statistics.reference import PreparedReference
from gateway.compare.statistics.saddlepoint import quantile

Floats = NDArray[np.float64]

_HALVINGS = 10
_SMALLEST = 1e-9
_MOST_VISIBLE = 8


@dataclass(frozen=True, slots=True, eq=False)
class Fault:
    """A fault as groups of outcomes that it changes alike, by its size times ``change``.

    Args:
        cells: the cell of each group, among the cells of the classes.
        right: the right probability of each outcome of a group.
        change: of the probability; it ends at 0, and what cannot be taken from some outcomes is not given to others.
        sizes: the number of outcomes in each group.
        outside: the probability that goes to impossible outcomes, times the size.
    """

    cells: NDArray[np.intp]
    right: Floats
    change: Floats
    sizes: Floats
    outside: float = 0.0

    def wrong(self, size: float) -> Floats:
        """Return the probabilities that a fault of a size leads to."""
        given, wanted = size * np.maximum(self.change, 0), size * np.maximum(-self.change, 0)
        taken = np.minimum(wanted, self.right)
        share = float(self.sizes @ taken) / max(float(self.sizes @ wanted), _SMALLEST**2)
        return self.right - taken + share * given

    def distance(self, size: float) -> float:
        """Return the total variation distance of a fault of a size; 1 if there is none so large."""
        if size > 1:
            return 1.0
        inside = float(self.sizes @ np.abs(self.wrong(size) - self.right))
        return min(1.0, (inside + size * self.outside) / 2)


@dataclass(frozen=True, eq=False)
class Sight:
    """What the tests see at a number of shots.

    Args:
        reference: the right distribution.
        null: its outcomes that are not rare at these shots; the counts are what is expected.
        shots: of a simulator.
        rate: the probability of a false alarm of one test.
    """

    reference: PreparedReference
    null: OneSample
    shots: int
    rate: float

    @classmethod
    def of(cls, reference: PreparedReference, shots: int, rate: float) -> Sight:
        """Return what is seen.

        Raises:
            ValueError: there are no shots, or the rate is not between 0 and 1.
        """
        if shots < 1 or not 0 < rate < 1:
            raise ValueError(f"{shots} shots at a false-alarm rate of {rate} show nothing")
        counts = shots * reference.probabilities
        null = OneSample(counts, reference.probabilities, reference.classes, shots)
        return cls(reference, without_rare(null), shots, rate)

    @cached_property
    def deviances(self) -> list[DevianceSight]:
        """What goodness of fit and weighted goodness of fit see."""
        cells, values, sizes = self.null.classes.cells()
        rates, shots = self.null.shots * values, self.null.shots
        return [
            DevianceSight.of(rates, sizes, weights[cells], shots, self.rate)
            for weights in (equal_weights(self.null), cube_root_weights(self.null))
            if weights is not None and len(self.null.counts) > 2  # noqa: PLR2004 - two have an exact tail
        ]

    @cached_property
    def _scores(self) -> tuple[float, float]:
        """How far the sum of -log p has to be below and above its mean, for cross entropy to see it."""
        classes = self.null.classes
        totals, scores = self.null.shots * classes.sizes * classes.means, -np.log(classes.means)
        mean = float(totals @ scores)
        low, high = (
            quantile(PoissonScores(totals, np.ones(len(totals)), side), self.rate / 2) for side in (-scores, scores)
        )
        return low + mean, high - mean

    def in_support(self, outside: float) -> float:
        """Return the size of a fault that is seen in the support, given the impossible probability times the size."""
        if outside <= 0:
            return math.inf
        return seen_probability(self.shots, self.reference.impossible, self.rate) / outside

    def in_counts(self, probability: float, change: float, number: int) -> float:
        """Return the size of a fault that is seen in one of some counts.

        Args:
            probability: of what is counted.
            change: of the probability, times the size.
            number: so many counts are looked at; 1 where a test has this count alone.
        """
        if not change:
            return math.inf
        lowest, highest = self._limits(probability, number)
        return ((highest if change > 0 else lowest) - probability) / change

    def _limits(self, probability: float, number: int) -> tuple[float, float]:
        """Return the probabilities below and above which one of some counts is seen to be too small, or too large."""
        error, rate = self.reference.impossible, self.rate / (2 * number)
        lacking = seen_probability(self.shots, min(1.0, 1 - probability + error), rate)
        return 1 - lacking, seen_probability(self.shots, min(1.0, probability + error), rate)

    def in_cross_entropy(self, mean: float, square: float) -> float:
        """Return the size of a fault that is seen in the cross entropy.

        Args:
            mean: the change of the mean of -log p, times the size.
            square: the change of the mean of its square, times the size.
        """
        classes = self.null.classes
        if len(classes.sizes) < 2 or not mean:  # noqa: PLR2004 - one class has one value
            return math.inf
        totals, scores = classes.sizes * classes.means, -np.log(classes.means)
        before, before_square = float(totals @ scores), float(totals @ scores**2)
        critical = self._scores[1] if mean > 0 else self._scores[0]

        def sees(size: float) -> bool:
            variance = max(before_square + size * square - (before + size * mean) ** 2, 0.0)
            return self.shots * size * abs(mean) >= critical + MARGIN * math.sqrt(self.shots * variance)

        return _smallest(sees, math.inf)

    def in_outcomes(self, fault: Fault, best: float) -> float:
        """Return the size of a fault that is seen in a single outcome, if it is below a size; else that size."""
        number = 1 if len(self.null.counts) == 2 else len(self.reference.codes) + 1  # noqa: PLR2004 - that is goodness of fit
        chosen = np.flatnonzero(fault.sizes)
        chosen = chosen[np.argsort(-np.abs(fault.change[chosen]) / np.sqrt(fault.right[chosen]))[:_MOST_VISIBLE]]
        limits = [self._limits(float(right), number) for right in fault.right[chosen]]
        lowest, highest = np.array(limits).T

        def sees(size: float) -> bool:
            wrong = fault.wrong(size)[chosen]
            return bool(((wrong <= lowest) | (wrong >= highest)).any())

        return _smallest(sees, best)

    def in_deviances(self, fault: Fault, best: float) -> float:
        """Return the size of a fault that is seen in the goodness of fit, if it is below a size; else that size."""
        for deviance in self.deviances:

            def sees(size: float, deviance: DevianceSight = deviance) -> bool:
                return deviance.sees(fault.cells, self.null.shots * fault.wrong(size), fault.sizes)

            best = _smallest(sees, best)
        return best


def _smallest(sees: Callable[[float], bool], best: float) -> float:
    """Return the smallest size at most 1 that is seen, if it is below a size that is seen already; else that size."""
    high = min(best, 1.0)
    if not sees(high):
        return best
    low = high / 4
    while low > _SMALLEST and sees(low):
        low, high = low / 4, low
    for _ in range(_HALVINGS):
        middle = math.sqrt(low * high)
        low, high = (low, middle) if sees(middle) else (middle, high)
    return high
