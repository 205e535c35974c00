"""Tests of all counts at once: goodness of fit, weighted goodness of fit and cross entropy."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from gateway.compare.record import Test
from gateway.compare.statistics.nulls import Null
from gateway.compare.statistics.saddlepoint import standard_deviation, upper_tail
from gateway.compare.statistics.tails import SMALLEST

Floats = NDArray[np.float64]
NullT = TypeVar("NullT", bound=Null)

RARE = 0.25
"""Outcomes so rare that fewer shots than this are expected of all of them together say nothing about the fit.

A sum of so few jumps has no smooth tail. These outcomes are left to the tests whose tails are exact.
"""

LARGEST_WEIGHTED = 1 / 16
"""More likely outcomes take no part in weighted goodness of fit: their weight would drown all others."""

FEWEST_WEIGHTED = 8
"""With fewer outcomes that count, weighted goodness of fit says no more than the tests of single outcomes."""

FEWEST_COINCIDENCES = 0.25
"""With fewer expected pairs of shots in the same outcome, goodness of fit says no more than cross entropy."""

FEWEST_COINCIDENCES_WEIGHTED = 10
"""With fewer expected pairs of shots in the same outcome, weighted goodness of fit is a sum of few jumps."""

RESOLUTION = 0.03
"""Steps below this part of a standard deviation do not change a tail."""

_LARGEST_TABLE = 1 << 22

_TIE = 1e-9


def fit_tests(null: Null) -> list[Test]:
    """Return those tests of all counts that can say something."""
    null = without_rare(null)
    if not null.counts.any():
        return []
    tests = goodness_of_fit(null), weighted_goodness_of_fit(null), cross_entropy(null)
    return [test for test in tests if test is not None]


def goodness_of_fit(null: Null) -> Test | None:
    """Return the test of G, the sum of the deviances; nothing if that says no more than other tests."""
    weights = equal_weights(null)
    return None if weights is None else _deviance_test("goodness-of-fit", null, weights)


def weighted_goodness_of_fit(null: Null) -> Test | None:
    """Return the test of the sum of deviances times p**(1/3); nothing if that says no more than other tests."""
    weights = cube_root_weights(null)
    return None if weights is None else _deviance_test("weighted-goodness-of-fit", null, weights)


def equal_weights(null: Null) -> Floats | None:
    """Return the weights of the classes in goodness of fit; nothing if the test says no more than others."""
    number = len(null.counts)
    if number < 2 or (number > 2 and null.coincidences < FEWEST_COINCIDENCES):  # noqa: PLR2004 - two have exact tails
        return None
    return np.ones(len(null.classes.sizes))


def cube_root_weights(null: Null) -> Floats | None:
    """Return the weights of the classes in weighted goodness of fit; nothing if the test says no more than others.

    These weights are the best for the alternatives that are hardest to tell (G. Valiant and P. Valiant, An automatic
    inequality prover and instance optimal identity testing, SIAM J. Comput. 46 (2017) 429).
    """
    classes = null.classes
    admitted = classes.means <= LARGEST_WEIGHTED * (classes.sizes * classes.means).sum()
    weights = np.where(admitted, np.cbrt(classes.means), 0.0)
    if not admitted.any() or np.ptp(weights[admitted]) <= _TIE * weights.max():
        return None
    number = classes.sizes * np.minimum(1.0, null.scale * classes.means)
    effective = float((number @ weights) ** 2 / (number @ weights**2))
    if effective < FEWEST_WEIGHTED or null.coincidences < FEWEST_COINCIDENCES_WEIGHTED:
        return None
    return np.asarray(weights / weights.max())


def cross_entropy(null: Null) -> Test | None:
    """Return the two-sided test of the sum of -log p over all shots; nothing if all outcomes are equally likely."""
    classes = null.classes
    if len(classes.sizes) < 2:  # noqa: PLR2004 - one class has one value
        return None
    counts = np.bincount(classes.of, weights=null.counts)
    totals, scores = classes.sizes * classes.means, -np.log(classes.means)
    statistic = float(counts @ scores)
    if len(counts) == 2:  # noqa: PLR2004 - one count says it all
        return _test("cross-entropy", statistic, 2 * null.tail(float(counts[0]), float(totals[0])))
    tails = []
    for side in (scores, -scores):
        cells = null.score_cells(totals, np.ones(len(totals)), side)
        step = _smallest_decrease(side[counts > 0], side, RESOLUTION * standard_deviation(cells))
        tails.append(upper_tail(cells, float(counts @ side), step=step))
    return _test("cross-entropy", statistic, 2 * min(tails))


def rare_classes(null: Null) -> NDArray[np.bool_]:
    """Return which classes are so rare that they say nothing about the fit."""
    classes = null.classes
    order = np.argsort(classes.means)
    rare = np.empty(len(order), dtype=np.bool_)
    rare[order] = np.cumsum((classes.sizes * classes.means)[order]) * null.scale < RARE
    return rare


def without_rare(null: NullT) -> NullT:
    """Return the outcomes alone that are not rare."""
    rare = rare_classes(null)
    return null.part(~rare) if rare.any() else null


def _deviance_test(name: str, null: Null, weights: Floats) -> Test:
    """Return the test of the sum of weighted deviances; the weights are those of the classes."""
    classes = null.classes
    statistic = float(weights[classes.of] @ null.deviances(null.counts, null.likelihoods))
    if len(null.counts) == 2:  # noqa: PLR2004 - one count says it all
        return _test(name, statistic, _tail_of_two(null))
    of_cells, values, sizes = classes.cells()
    cells = null.deviance_cells(values, sizes, weights[of_cells])
    step = _step(null, weights, RESOLUTION * standard_deviation(cells))
    return _test(name, statistic, upper_tail(cells, statistic, step=step))


def _tail_of_two(null: Null) -> float:
    """Return the exact probability that the deviance of two outcomes is at least as large; one count says it all."""
    count, total, likelihood = float(null.counts[0]), float(null.counts.sum()), float(null.likelihoods[0])

    def statistic(value: float) -> float:
        return float(null.deviances(np.array([value, total - value]), null.likelihoods).sum())

    middle, wanted = math.ceil(null.scale * likelihood), statistic(count) * (1 - _TIE)
    if count >= null.scale * likelihood:
        opposite = _innermost(statistic, wanted, 0, middle - 1)
    else:
        opposite = _innermost(statistic, wanted, int(null.largest(likelihood)), middle)
    return null.tail(count, likelihood) + (0.0 if opposite is None else null.tail(opposite, likelihood))


def _innermost(statistic: Callable[[float], float], wanted: float, outer: int, inner: int) -> int | None:
    """Return the whole number nearest to ``inner`` where a statistic that falls towards it is at least as wanted."""
    if inner < 0 or statistic(outer) < wanted:
        return None
    if statistic(inner) >= wanted:
        return inner
    while abs(outer - inner) > 1:
        middle = (outer + inner) // 2
        outer, inner = (middle, inner) if statistic(middle) >= wanted else (outer, middle)
    return outer


def _step(null: Null, weights: Floats, resolution: float) -> float:
    """Return by how much the move of one shot to another outcome lowers the statistic at least; see below."""
    classes = null.classes
    of, counts = _distinct_pairs(classes.of, null.counts)
    means = classes.means[of]

    def statistic(at: Floats) -> Floats:
        return weights[of] * null.deviances(at, means)

    here = statistic(counts)
    taken = here - statistic(np.maximum(counts - 1, 0))
    with np.errstate(invalid="ignore"):
        given = statistic(counts + 1) - here
    return _smallest_decrease(taken[counts > 0], given[np.isfinite(given)], resolution)


def _distinct_pairs(of: NDArray[np.intp], counts: Floats) -> tuple[NDArray[np.intp], Floats]:
    """Return the classes and the counts that come together."""
    span = int(counts.max()) + 1
    keys = of * span + counts.astype(np.intp)
    number = (int(of.max()) + 1) * span
    distinct = np.flatnonzero(np.bincount(keys)) if number < _LARGEST_TABLE else np.unique(keys)
    return distinct // span, (distinct % span).astype(np.float64)


def _smallest_decrease(taken: Floats, given: Floats, resolution: float) -> float:
    """Return the smallest difference between what is taken away and what is given for it, above a resolution.

    Smaller steps are as good as none: values then lie densely, or are all but equal and the next ones lie beyond. The
    result is infinite if there is no difference: no move lowers the statistic.
    """
    ranked = np.sort(given)
    places = np.searchsorted(ranked, taken - resolution)
    decreases = (taken - ranked[np.maximum(places - 1, 0)])[places > 0]
    return float(decreases.min(initial=math.inf))


def _test(name: str, statistic: float, p_value: float) -> Test:
    return Test(name=name, statistic=statistic, p_value=min(1.0, max(SMALLEST, p_value)))
