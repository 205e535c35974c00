"""What is expected of counts if nothing is wrong: of one sample under a distribution, of one of two samples given both.

Both are independent cells given their total, so that the tests of fit are written once for either.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from gateway.compare.statistics import cells
from gateway.compare.statistics.classes import Classes
from gateway.compare.statistics.saddlepoint import Cells
from gateway.compare.statistics.tails import binomial_upper, hypergeometric_tail

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Null(ABC):
    """Counts of outcomes, and what is expected of them.

    Args:
        counts: of each outcome; float64, whole numbers.
        likelihoods: of each outcome, up to a factor.
        classes: of the likelihoods.
    """

    counts: Floats
    likelihoods: Floats
    classes: Classes

    @property
    @abstractmethod
    def scale(self) -> float:
        """The mean count of an outcome is its likelihood times this."""

    @property
    @abstractmethod
    def coincidences(self) -> float:
        """The expected number of pairs of shots with the same outcome."""

    @abstractmethod
    def part(self, classes: NDArray[np.bool_]) -> Self:
        """Return the outcomes of some classes alone, given how many shots they have together."""

    @abstractmethod
    def deviances(self, counts: Floats, likelihoods: Floats) -> Floats:
        """Return the deviances of some counts."""

    @abstractmethod
    def deviance_cells(self, likelihoods: Floats, sizes: Floats, weights: Floats) -> Cells:
        """Return cells for the sum of weighted deviances."""

    @abstractmethod
    def score_cells(self, likelihoods: Floats, sizes: Floats, scores: Floats) -> Cells:
        """Return cells for the sum of scores, one for each shot."""

    @abstractmethod
    def largest(self, likelihood: float) -> float:
        """Return the largest count that is possible."""

    @abstractmethod
    def tail(self, count: float, likelihood: float) -> float:
        """Return the exact probability of a count, and of all counts further from the mean on its side."""


@dataclass(frozen=True, slots=True, eq=False)
class OneSample(Null):
    """A sample of a distribution; likelihoods are its probabilities.

    Args:
        shots: the sum of the counts.
    """

    shots: int

    @property
    def scale(self) -> float:
        """The number of shots."""
        return float(self.shots)

    @property
    def coincidences(self) -> float:
        """The expected number of pairs of shots with the same outcome."""
        return float(self.classes.sizes @ (self.shots * self.classes.means) ** 2) / 2

    def part(self, classes: NDArray[np.bool_]) -> Self:
        """Return the shots of some classes alone."""
        chosen = classes[self.classes.of]
        counts, likelihoods = self.counts[chosen], self.likelihoods[chosen]
        share = float(likelihoods.sum())
        rescaled = self.classes.part(classes).rescaled(1 / share)
        return type(self)(counts, likelihoods / share, rescaled, round(float(counts.sum())))

    def deviances(self, counts: Floats, likelihoods: Floats) -> Floats:
        """Return Poisson deviances."""
        return cells.deviance(counts, self.shots * likelihoods)

    def deviance_cells(self, likelihoods: Floats, sizes: Floats, weights: Floats) -> Cells:
        """Return Poisson cells."""
        return cells.poisson_cells(self.shots * likelihoods, sizes, weights, self.shots)

    def score_cells(self, likelihoods: Floats, sizes: Floats, scores: Floats) -> Cells:
        """Return Poisson cells."""
        return cells.PoissonScores(self.shots * likelihoods, sizes, scores)

    def largest(self, likelihood: float) -> float:  # noqa: ARG002 - an outcome of any likelihood may have all shots
        """Return the number of shots."""
        return float(self.shots)

    def tail(self, count: float, likelihood: float) -> float:
        """Return the binomial tail."""
        if count >= self.shots * likelihood:
            return float(binomial_upper(count, self.shots, min(likelihood, 1.0)))
        return float(binomial_upper(self.shots - count, self.shots, max(1 - likelihood, 0.0)))


@dataclass(frozen=True, slots=True, eq=False)
class TwoSamples(Null):
    """The smaller one of two samples; likelihoods are how often each outcome came in both together.

    Args:
        shots: of the smaller and of the larger sample.
    """

    shots: tuple[int, int]

    @property
    def scale(self) -> float:
        """The part of all shots that are the smaller sample's."""
        return self.shots[0] / max(sum(self.shots), 1)

    @property
    def coincidences(self) -> float:
        """The expected number of pairs of the smaller sample's shots with the same outcome."""
        pairs = self.classes.sizes * self.classes.means * (self.classes.means - 1)
        return float(pairs.sum()) * self.scale**2 / 2

    def part(self, classes: NDArray[np.bool_]) -> Self:
        """Return the shots of some classes alone."""
        chosen = classes[self.classes.of]
        counts, likelihoods = self.counts[chosen], self.likelihoods[chosen]
        shots = round(float(counts.sum())), round(float(likelihoods.sum() - counts.sum()))
        return type(self)(counts, likelihoods, self.classes.part(classes), shots)

    def deviances(self, counts: Floats, likelihoods: Floats) -> Floats:
        """Return binomial deviances."""
        return cells.split_deviance(counts, likelihoods, self.scale)

    def deviance_cells(self, likelihoods: Floats, sizes: Floats, weights: Floats) -> Cells:
        """Return binomial cells."""
        return cells.binomial_cells(likelihoods, self.scale, sizes, weights)

    def score_cells(self, likelihoods: Floats, sizes: Floats, scores: Floats) -> Cells:
        """Return binomial cells."""
        return cells.BinomialScores(likelihoods, self.scale, sizes, scores)

    def largest(self, likelihood: float) -> float:
        """Return the number of shots of the outcome, or of the smaller sample."""
        return min(likelihood, float(self.shots[0]))

    def tail(self, count: float, likelihood: float) -> float:
        """Return the hypergeometric tail."""
        return hypergeometric_tail(count, self.shots, likelihood)
