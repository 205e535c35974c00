"""Outcomes put together by their probability, so that a million of them are some hundred cells."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MANY = 4096
"""Up to so many outcomes are sorted in the search of equal ones; more go into bins at once."""

FEW = 256
"""Up to so many distinct values have a class each."""

_BINS = 200
_SAME = 1e-9
"""Values that differ by less than this part of them are equal but for rounding."""


@dataclass(frozen=True, slots=True, eq=False)
class Classes:
    """Positive values, put together where they are equal or near.

    A class of values that differ stands for them by two cells, at a standard deviation below and above their mean, so
    that sums of any smooth function over the cells are right to the third order in the width of the class.

    Args:
        of: the class of each value.
        sizes: the number of values in each class.
        means: the mean of each class.
        spreads: the standard deviation of each class; 0 where all values are equal.
    """

    of: NDArray[np.intp]
    sizes: NDArray[np.float64]
    means: NDArray[np.float64]
    spreads: NDArray[np.float64]

    @classmethod
    def of_values(cls, values: NDArray[np.float64]) -> Classes:
        """Return the classes of some values: a class for each distinct value, or for each of 200 logarithmic bins.

        The largest value has a class of its own if it is more than half of the sum of all.
        """
        of = _equal(values) if len(values) <= MANY else None
        if of is None:
            of = _bins(values)
        largest = int(values.argmax())
        if 2 * values[largest] > values.sum():
            of[largest] = int(of.max()) + 1
        of = np.unique(of, return_inverse=True)[1] if len(values) <= MANY else _without_gaps(of)
        sizes = np.bincount(of).astype(np.float64)
        means = np.bincount(of, weights=values) / sizes
        variances = np.bincount(of, weights=(values - means[of]) ** 2) / sizes
        spreads = np.where(variances > (_SAME * means) ** 2, np.sqrt(variances), 0.0)
        return cls(of, sizes, means, spreads)

    def part(self, chosen: NDArray[np.bool_]) -> Classes:
        """Return only some of the classes."""
        renumbered = (np.cumsum(chosen) - 1)[self.of]
        return Classes(renumbered[chosen[self.of]], self.sizes[chosen], self.means[chosen], self.spreads[chosen])

    def rescaled(self, factor: float) -> Classes:
        """Return the classes of the values times a factor."""
        return Classes(self.of, self.sizes, self.means * factor, self.spreads * factor)

    def cells(self) -> tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.float64]]:
        """Return the class, the value and the multiplicity of each cell."""
        split = np.flatnonzero(self.spreads)
        classes = np.concatenate([np.arange(len(self.sizes)), split])
        values = np.concatenate([self.means - self.spreads, (self.means + self.spreads)[split]])
        sizes = np.where(self.spreads > 0, self.sizes / 2, self.sizes)
        return classes, values, np.concatenate([sizes, sizes[split]])


def _equal(values: NDArray[np.float64]) -> NDArray[np.intp] | None:
    """Return the class of each value, one for each distinct value; nothing if there are too many."""
    order = np.argsort(values, kind="stable")
    ranked = values[order]
    ranks = np.concatenate([[0], np.cumsum(np.diff(ranked) > _SAME * ranked[1:])])
    if ranks[-1] >= FEW:
        return None
    of = np.empty(len(values), dtype=np.intp)
    of[order] = ranks
    return of


def _bins(values: NDArray[np.float64]) -> NDArray[np.intp]:
    logarithms = np.log(values)
    lowest, highest = float(logarithms.min()), float(logarithms.max())
    width = max((highest - lowest) / _BINS, 10 * _SAME)
    return np.minimum((logarithms - lowest) / width, math.floor((highest - lowest) / width)).astype(np.intp)


def _without_gaps(of: NDArray[np.intp]) -> NDArray[np.intp]:
    present = np.bincount(of) > 0
    return (np.cumsum(present) - 1)[of]
