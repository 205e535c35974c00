"""How far two results of one circuit are apart."""

from __future__ import annotations

import numpy as np

from gateway.compare.closeness import largest_difference
from gateway.compare.record import SUM_TOLERANCE
from gateway.compare.reproducer.asking import State
from gateway.compare.statistics import tests
from gateway.compare.statistics.outcomes import Distribution, Sample
from gateway.errors import GatewayError


def difference(a: Distribution | GatewayError | None, b: Distribution | GatewayError | None) -> float | None:
    """Return the largest absolute difference of a probability, or ``None`` unless both are distributions."""
    if not isinstance(a, Distribution) or not isinstance(b, Distribution):
        return None
    return _number(largest_difference(a, b))


def largest_distance(a: State | GatewayError, b: State | GatewayError) -> float | None:
    """Return the largest difference of an amplitude of two states whose global phases are made the same.

    It is ``None`` unless both are states, and 1 between states of different sizes.
    """
    if isinstance(a, GatewayError) or isinstance(b, GatewayError):
        return None
    if a.shape != b.shape:
        return 1.0
    overlap = np.vdot(b, a)
    phase = overlap / abs(overlap) if overlap else 1.0
    return _number(float(np.abs(a - phase * b).max()))


def is_whole(distribution: Distribution) -> bool:
    """Return whether the probabilities of a distribution sum to 1."""
    return bool(abs(distribution.probabilities.sum() - 1) <= SUM_TOLERANCE)


def p_value(sample: Sample | GatewayError, reference: Distribution | Sample | GatewayError) -> float:
    """Return the smallest p-value of all tests times their number, or 1 where there is nothing to compare."""
    if isinstance(sample, GatewayError) or isinstance(reference, GatewayError):
        return 1.0
    if isinstance(reference, Sample):
        results = tests.between(sample, reference)
    else:
        results = tests.against(sample, tests.prepare(reference))
    return min(1.0, len(results) * min([test.p_value for test in results], default=1.0))


def _number(difference: float) -> float:
    """Return a difference; 1 where a result has amplitudes or probabilities that are no numbers."""
    return 1.0 if np.isnan(difference) else difference
