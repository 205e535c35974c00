"""What speaks for and against a hypothesis: a simulator's exact probabilities, or its counts."""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np

from gateway.compare.closeness import largest_difference
from gateway.compare.diagnosis.marginals import ones
from gateway.compare.diagnosis.observations import Observations
from gateway.compare.diagnosis.readings import with_coins
from gateway.compare.statistics import tests
from gateway.compare.statistics.outcomes import Distribution, Sample

FITS = 1e-3
"""Counts fit a hypothesis when their p-value under it is at least this."""

SURELY_NOT = 1e-6
"""Counts that are less likely contradict even a hypothesis that predicts the exact probabilities."""

ROUNDING = 1e-12
"""The least difference of exact probabilities that counts as one."""

SAME = 1e-9
"""Predictions that differ by no more are the same."""

SHARPNESS = 0.1
"""A prediction is nearer to the simulator's exact probabilities than the right ones are, by this factor."""

EXACT_SHOTS = 1e6
"""Exact probabilities count as the frequencies of so many shots, where a number of shots is asked for."""


class Evidence(Protocol):
    """What was observed, as something to compare predictions with.

    Attributes:
        observed: relative frequencies or exact probabilities, to fit parameters to.
        baseline: the score of the right distribution.
        cost: what a fitted parameter costs, in units of the score.
        shots: how many shots the relative frequencies come from.
    """

    observed: Distribution
    baseline: float
    cost: float
    shots: float

    def score(self, prediction: Distribution) -> float:
        """Return the logarithm of the likelihood; ``-inf`` if the prediction is contradicted."""

    def is_copied(self, prediction: Distribution, parameters: int) -> bool:
        """Return whether a prediction with fitted parameters says no more than what they were fitted to."""

    def p_value(self, prediction: Distribution) -> float:
        """Return the p-value of the counts."""

    def fits(self, p_value: float) -> bool:
        """Return whether counts with this p-value do not contradict the prediction."""


class SampleEvidence:
    """Counts.

    Args:
        sample: the counts.
        reference: the right distribution.
        differs_exactly: whether the exact probabilities of the same simulator are not the right ones either.
    """

    def __init__(self, sample: Sample, reference: Distribution, *, differs_exactly: bool = False) -> None:
        self._sample = sample
        self.observed = Distribution(sample.width, sample.codes, sample.counts / sample.shots)
        self.shots = float(sample.shots)
        self.cost = math.log(sample.shots) / 2
        self.baseline = self.score(reference)
        self._reference = reference
        self._differs_exactly = differs_exactly

    def score(self, prediction: Distribution) -> float:
        """Return the logarithm of the likelihood of the counts, without the multinomial coefficient."""
        return tests.log_likelihood(self._sample, prediction)

    def is_copied(self, prediction: Distribution, parameters: int) -> bool:
        """Return whether a fit says no more than what it was fitted to; of counts alone, even that is a finding."""
        return self._differs_exactly and _is_copied(self._reference, prediction, parameters, SAME)

    def p_value(self, prediction: Distribution) -> float:
        """Return the p-value of the counts."""
        return tests.fit(self._sample, tests.prepare(prediction))

    def fits(self, p_value: float) -> bool:
        """Return whether the p-value is large enough."""
        return p_value >= FITS


class ExactEvidence:
    """Exact probabilities that are not the right ones, with the counts of the same simulator.

    Args:
        exact: the simulator's exact probabilities.
        tolerance: the difference that rounding explains.
        sample: its counts; ``None`` if they tell nothing, or are right although the exact probabilities are not.
        reference: the right distribution.
    """

    def __init__(self, exact: Distribution, tolerance: float, sample: Sample | None, reference: Distribution) -> None:
        self.observed = exact
        self.shots = EXACT_SHOTS
        self.cost = math.log(EXACT_SHOTS) / 2
        self.baseline = -math.inf
        self._sample = sample
        self._reference = reference
        self._tolerance = min(tolerance, SHARPNESS * largest_difference(exact, reference))

    def score(self, prediction: Distribution) -> float:
        """Return 0 if the prediction is what the simulator computed, else ``-inf``."""
        return 0.0 if largest_difference(self.observed, prediction) <= self._tolerance else -math.inf

    def is_copied(self, prediction: Distribution, parameters: int) -> bool:
        """Return whether a fit says no more than the exact probabilities that it was fitted to."""
        return _is_copied(self._reference, prediction, parameters, self._tolerance)

    def p_value(self, prediction: Distribution) -> float:
        """Return the p-value of the counts, 1 without counts."""
        return 1.0 if self._sample is None else tests.fit(self._sample, tests.prepare(prediction))

    def fits(self, p_value: float) -> bool:
        """Return whether the p-value is not ridiculous."""
        return p_value >= SURELY_NOT


def evidence_of(observations: Observations, reference: Distribution) -> Evidence | None:
    """Return the sharpest evidence that there is; ``None`` if there is nothing to explain a distribution by."""
    exact, sample = observations.exact, observations.sample if observations.sample.shots else None
    tolerance = _tolerance(observations)
    if exact is not None and largest_difference(exact, reference) > tolerance:
        if sample is not None and _fits(sample, reference):
            sample = None
        return ExactEvidence(exact, tolerance, sample, reference)
    if sample is None:
        return None
    return SampleEvidence(sample, reference, differs_exactly=observations.differs_exactly)


def _is_copied(reference: Distribution, prediction: Distribution, parameters: int, tolerance: float) -> bool:
    """Return whether a fit changes only how often clbits that depend on no other are 1, one for each parameter.

    Exact probabilities have no readout errors, unless they are those of a noisy simulator. Where a qubit depends on no
    other, any wrong gate looks like one: it changes a single number, which a single parameter always fits. Only a
    prediction that says more than was fitted, on several clbits or on how they depend on each other, is a finding.
    """
    if not parameters:
        return False
    right, wrong = ones(reference), ones(prediction)
    changed = np.flatnonzero(np.abs(wrong - right) > tolerance).tolist()
    if len(changed) > parameters:
        return False
    coins = with_coins(reference, {clbit: float(wrong[clbit]) for clbit in changed})
    return largest_difference(coins, prediction) <= tolerance


def _tolerance(observations: Observations) -> float:
    return max(observations.tolerance, ROUNDING)


def _fits(sample: Sample, distribution: Distribution) -> bool:
    return tests.fit(sample, tests.prepare(distribution)) >= FITS
