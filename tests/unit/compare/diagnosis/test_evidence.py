from __future__ import annotations

import math

import numpy as np
import pytest

from gateway.compare.diagnosis import Observations
from gateway.compare.diagnosis.evidence import ExactEvidence, SampleEvidence, evidence_of
from gateway.compare.statistics.outcomes import Distribution, Sample

RIGHT = Distribution.of({"00": 0.5, "01": 0.25, "11": 0.25}, 2)
WRONG = Distribution.of({"00": 0.25, "10": 0.5, "11": 0.25}, 2)


def drawn(distribution: Distribution, shots: int = 1000) -> Sample:
    counts = np.random.default_rng(2).multinomial(shots, distribution.probabilities)
    return Sample(2, distribution.codes, counts)


def shifted(distribution: Distribution, difference: float) -> Distribution:
    change = np.array([difference, -difference, 0])
    return Distribution(2, distribution.codes, distribution.probabilities + change)


def test_exact_probabilities_are_the_evidence_if_they_are_wrong():
    assert isinstance(evidence_of(Observations(sample=drawn(WRONG), exact=WRONG), RIGHT), ExactEvidence)
    assert isinstance(evidence_of(Observations(sample=drawn(WRONG), exact=RIGHT), RIGHT), SampleEvidence)
    assert isinstance(evidence_of(Observations(sample=drawn(WRONG)), RIGHT), SampleEvidence)


def test_without_shots_and_exact_probabilities_there_is_no_evidence():
    nothing = Sample(2, RIGHT.codes[:0], np.zeros(0, dtype=np.int64))
    assert evidence_of(Observations(sample=nothing), RIGHT) is None
    assert evidence_of(Observations(sample=nothing, exact=RIGHT), RIGHT) is None
    evidence = evidence_of(Observations(sample=nothing, exact=WRONG), RIGHT)
    assert evidence is not None
    assert evidence.p_value(WRONG) == 1


def test_a_prediction_equals_exact_probabilities_within_the_tolerance():
    evidence = ExactEvidence(WRONG, 1e-6, None, RIGHT)
    assert evidence.score(shifted(WRONG, 5e-7)) == 0
    assert evidence.score(shifted(WRONG, 2e-6)) == -math.inf
    assert evidence.score(RIGHT) == -math.inf


def test_a_prediction_is_much_nearer_than_the_right_probabilities():
    evidence = ExactEvidence(shifted(RIGHT, 1e-5), 5e-6, None, RIGHT)
    assert evidence.score(shifted(RIGHT, 1.09e-5)) == 0
    assert evidence.score(shifted(RIGHT, 1.2e-5)) == -math.inf


def test_counts_may_contradict_a_prediction_that_equals_the_exact_probabilities():
    evidence = evidence_of(Observations(sample=drawn(shifted(RIGHT, 0.2)), exact=WRONG), RIGHT)
    assert not evidence.fits(evidence.p_value(WRONG))


def test_counts_that_are_right_do_not_judge_exact_probabilities_that_are_wrong():
    evidence = evidence_of(Observations(sample=drawn(RIGHT), exact=WRONG), RIGHT)
    assert evidence.fits(evidence.p_value(WRONG))


def test_a_fit_of_a_clbit_that_depends_on_no_other_is_copied_from_exact_probabilities():
    apart = Distribution.of({"00": 0.4, "01": 0.1, "10": 0.4, "11": 0.1}, 2)
    seen = Distribution.of({"00": 0.3, "01": 0.2, "10": 0.3, "11": 0.2}, 2)
    assert ExactEvidence(seen, 1e-9, None, apart).is_copied(seen, 1)
    assert not ExactEvidence(seen, 1e-9, None, apart).is_copied(seen, 0)
    assert not SampleEvidence(drawn(seen), apart).is_copied(seen, 1)
    assert SampleEvidence(drawn(seen), apart, differs_exactly=True).is_copied(seen, 1)


def test_a_fit_of_more_clbits_than_parameters_or_of_a_clbit_that_depends_on_another_says_more():
    apart = Distribution.of({"00": 1.0}, 2)
    both = Distribution.of({"00": 0.81, "01": 0.09, "10": 0.09, "11": 0.01}, 2)
    assert not ExactEvidence(both, 1e-9, None, apart).is_copied(both, 1)
    assert ExactEvidence(both, 1e-9, None, apart).is_copied(both, 2)
    coupled = Distribution.of({"00": 0.45, "01": 0.25, "10": 0.05, "11": 0.25}, 2)
    assert not ExactEvidence(coupled, 1e-9, None, RIGHT).is_copied(coupled, 1)


def test_the_likelihood_of_counts_decides_where_there_is_nothing_exact():
    evidence = SampleEvidence(drawn(RIGHT), WRONG)
    assert evidence.baseline == -math.inf
    assert evidence.score(RIGHT) > evidence.score(shifted(RIGHT, 0.1)) > evidence.baseline
    assert evidence.fits(evidence.p_value(RIGHT))
    assert not evidence.fits(evidence.p_value(shifted(RIGHT, 0.1)))
    assert evidence.observed.probabilities.sum() == pytest.approx(1)
