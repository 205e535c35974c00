"""All tests of one simulator's counts: against an exact distribution, or against another simulator's counts."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from gateway.compare.record import Test
from gateway.compare.statistics.classes import Classes
from gateway.compare.statistics.count_tests import parity_tests, single_outcome
from gateway.compare.statistics.fit_tests import cross_entropy, fit_tests, goodness_of_fit, without_rare
from gateway.compare.statistics.nulls import OneSample, TwoSamples
from gateway.compare.statistics.outcomes import Distribution, Sample, decode, group, lookup
from gateway.compare.statistics.parities import Parities
from gateway.compare.statistics.reference import PreparedReference, prepare
from gateway.compare.statistics.tails import SMALLEST, Binomial, Hypergeometric, binomial_upper

__all__ = ["against", "between", "distance", "fit", "log_likelihood", "prepare"]


def against(sample: Sample, reference: PreparedReference) -> tuple[Test, ...]:
    """Return the tests of a sample against a distribution; only those that can say something, none without shots.

    Raises:
        ValueError: the two have different numbers of clbits.
    """
    _check_widths(sample.width, reference.width)
    if not sample.shots:
        return ()
    counts, impossible = reference.counts_of(sample)
    tests = [_support(sample, reference, impossible)]
    if shots := int(counts.sum()):
        null = OneSample(counts, reference.probabilities, reference.classes, shots)
        single = single_outcome(null, Binomial(shots), reference.codes, reference.width)
        tests += [*fit_tests(null), *([single] if single else [])]
    odd = reference.parities.odd_weights(sample.codes, sample.counts)
    return (*tests, *parity_tests(reference.parities, Binomial(sample.shots, reference.impossible), odd, reference.odd))


def between(a: Sample, b: Sample) -> tuple[Test, ...]:
    """Return the tests of two samples against each other; only those that can say something, none without shots.

    Raises:
        ValueError: the two have different numbers of clbits.
    """
    _check_widths(a.width, b.width)
    first, second = sorted((a, b), key=lambda sample: sample.shots)
    if not first.shots:
        return ()
    shots = first.shots, second.shots
    codes, totals = group(np.concatenate([first.codes, second.codes]), np.concatenate([first.counts, second.counts]))
    counts, both = lookup(first.codes, first.counts, codes).astype(np.float64), totals.astype(np.float64)
    null = TwoSamples(counts, both, Classes.of_values(both), shots)
    law = Hypergeometric(*shots)
    single = single_outcome(null, law, codes, a.width)
    parities = Parities.of(codes, a.width)
    odd, odd_in_both = parities.odd_weights(codes, counts), parities.odd_weights(codes, both)
    return (*fit_tests(null), *([single] if single else []), *parity_tests(parities, law, odd, odd_in_both))


def fit(sample: Sample, reference: PreparedReference) -> float:
    """Return one p-value for a sample of a distribution: the smaller one of support and goodness of fit, times two.

    Where so few shots have the same outcome that goodness of fit says nothing, cross entropy takes its place.
    """
    _check_widths(sample.width, reference.width)
    if not sample.shots:
        return 1.0
    counts, impossible = reference.counts_of(sample)
    p_value = _support(sample, reference, impossible).p_value
    if shots := int(counts.sum()):
        null = without_rare(OneSample(counts, reference.probabilities, reference.classes, shots))
        test = goodness_of_fit(null) or cross_entropy(null) if null.counts.any() else None
        p_value = min(p_value, test.p_value if test else 1.0)
    return min(1.0, 2 * p_value)


def log_likelihood(sample: Sample, distribution: Distribution) -> float:
    """Return the sum of log p over all shots, in nats, whatever their order; -inf if one of them is impossible."""
    _check_widths(sample.width, distribution.width)
    probabilities = lookup(distribution.codes, distribution.probabilities, sample.codes)
    if not probabilities.all():
        return -math.inf
    return float(sample.counts @ np.log(probabilities))


def distance(sample: Sample | Distribution, distribution: Distribution) -> float:
    """Return the total variation distance of frequencies, or of probabilities, from a distribution: from 0 to 1."""
    _check_widths(sample.width, distribution.width)
    frequencies = sample.counts / max(sample.shots, 1) if isinstance(sample, Sample) else sample.probabilities
    expected = lookup(distribution.codes, distribution.probabilities, sample.codes)
    elsewhere = distribution.probabilities.sum() - expected.sum()
    return float(np.clip((np.abs(frequencies - expected).sum() + elsewhere) / 2, 0.0, 1.0))


def _support(sample: Sample, reference: PreparedReference, impossible: NDArray[np.bool_]) -> Test:
    """Return the test of the shots in outcomes that should not happen: a binomial tail at the bound of their sum."""
    shots = int(sample.counts[impossible].sum())
    p_value = float(binomial_upper(shots, sample.shots, reference.impossible))
    points_at = ""
    if shots:
        most = int(np.where(impossible, sample.counts, 0).argmax())
        points_at = f"outcome {decode(sample.codes[most : most + 1], sample.width)[0]}"
    return Test(name="support", statistic=float(shots), p_value=max(SMALLEST, p_value), points_at=points_at)


def _check_widths(width: int, other: int) -> None:
    if width != other:
        raise ValueError(f"counts of {width} clbits cannot be compared with outcomes of {other} clbits")
