from __future__ import annotations

import numpy as np
import pytest

from gateway.compare.diagnosis.marginals import ones
from gateway.compare.diagnosis.mixtures import best_share, mixtures, uniform
from gateway.compare.statistics.outcomes import Distribution

RIGHT = Distribution.of({"00": 0.7, "01": 0.1, "10": 0.2}, 2)


def fitted(observed: dict[str, float], name: str) -> dict[str, dict[str, float]]:
    """Return detail -> bitstring -> probability of the mixtures of one name, fitted to exact probabilities."""
    hypotheses = mixtures(RIGHT, Distribution.of(observed, 2), clbits=[0, 1], written=[0, 1])
    found = [hypothesis.predict() for hypothesis in hypotheses if hypothesis.name == name]
    return {made.detail: made.distribution.to_dict() for made in found if made is not None}


def test_the_share_of_the_uniform_distribution_is_found():
    observed = {"00": 0.61, "01": 0.13, "10": 0.21, "11": 0.05}
    found = fitted(observed, "depolarised")
    assert found == {"the right distribution mixed with 20 % of the uniform one": pytest.approx(observed, abs=1e-12)}


def test_a_readout_error_of_one_clbit_is_found():
    observed = {"00": 0.9 * 0.7 + 0.1 * 0.1, "01": 0.9 * 0.1 + 0.1 * 0.7, "10": 0.18, "11": 0.02}
    found = fitted(observed, "readout-error")
    assert found["a readout error of 10 % on clbit 0"] == pytest.approx(observed, abs=1e-12)


def test_a_readout_error_of_one_direction_is_found():
    observed = {"00": 0.75, "01": 0.1, "10": 0.15}
    found = fitted(observed, "readout-error")
    assert found["clbit 1 read as 0 in 25 % of the cases where it is 1"] == pytest.approx(observed, abs=1e-12)


def test_how_often_each_clbit_is_1_is_known_beforehand():
    observed = Distribution.of({"00": 0.64, "01": 0.16, "10": 0.18, "11": 0.02}, 2)
    errors = [made for made in mixtures(RIGHT, observed, clbits=[0], written=[0, 1]) if made.ones is not None]
    assert ones(errors[0].predict().distribution) == pytest.approx(errors[0].ones)


def test_a_mixture_that_would_not_be_likelier_is_none():
    assert not fitted(RIGHT.to_dict(), "depolarised")
    assert not fitted(RIGHT.to_dict(), "readout-error")


def test_a_mixture_without_an_outcome_that_was_observed_is_none():
    assert "clbit 1 read as 0 in" not in str(fitted({"00": 0.5, "11": 0.5}, "readout-error"))


def test_an_error_that_is_more_often_made_than_not_is_no_readout_error():
    assert "on clbit 0" not in str(fitted({"00": 0.1, "01": 0.7, "11": 0.2}, "readout-error"))


@pytest.mark.parametrize("share", [0.0, 1e-6, 0.3, 0.5, 0.99, 1.0])
def test_the_best_share_is_the_one_that_was_mixed(share):
    first, second = np.array([0.5, 0.5, 0.0]), np.array([0.1, 0.0, 0.9])
    assert best_share(first, second, (1 - share) * first + share * second) == pytest.approx(share, abs=1e-12)


def test_there_is_no_best_share_if_neither_distribution_has_an_outcome():
    assert best_share(np.array([1.0, 0.0]), np.array([1.0, 0.0]), np.array([0.5, 0.5])) is None


def test_the_uniform_distribution_leaves_clbits_alone_that_are_never_written():
    assert uniform(3, [0, 2]).to_dict() == {"000": 0.25, "001": 0.25, "100": 0.25, "101": 0.25}


def test_the_uniform_distribution_of_very_many_clbits_is_not_written_out():
    wide = Distribution.of({40 * "0": 1.0}, 40)
    assert "depolarised" not in {made.name for made in mixtures(wide, wide, clbits=[], written=range(40))}
