from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from gateway.compare.diagnosis.readout_errors import MOST_CLBITS, readout_errors
from gateway.compare.statistics.outcomes import Distribution


def right(width: int = 4) -> Distribution:
    """Return random probabilities of all outcomes, but clbit 3 of 4 is a fair coin apart."""
    weights = np.random.default_rng(5).exponential(size=8)
    return Distribution(width, np.arange(16), np.concatenate([weights, weights]) / weights.sum() / 2)


def misread(distribution: Distribution, rates: Sequence[float]) -> Distribution:
    """Return the distribution after readout errors, clbit by clbit."""
    values = np.zeros(1 << distribution.width)
    values[distribution.codes] = distribution.probabilities
    for clbit, rate in enumerate(rates):
        values = (1 - rate) * values + rate * values[np.arange(len(values)) ^ 1 << clbit]
    return Distribution(distribution.width, np.arange(len(values)), values)


def fitted(reference: Distribution, observed: Distribution, written: Sequence[int]) -> list:
    return [hypothesis.predict() for hypothesis in readout_errors(reference, observed, written)]


def test_a_common_error_is_found_exactly():
    observed = misread(right(), [0.03] * 4)
    common, individual = fitted(right(), observed, range(4))
    assert common.detail == "a readout error of 3 % on every clbit"
    for prediction in (common, individual):
        assert np.abs(prediction.distribution.probabilities - observed.probabilities).max() < 1e-11


def test_errors_of_different_size_are_found_exactly():
    observed = misread(right(), [0.01, 0.2, 0.0, 0.05])
    common, individual = fitted(right(), observed, range(4))
    assert np.abs(common.distribution.probabilities - observed.probabilities).max() > 1e-3
    assert np.abs(individual.distribution.probabilities - observed.probabilities).max() < 1e-11


def test_errors_are_fitted_to_counts():
    observed = misread(right(), [0.01, 0.2, 0.0, 0.05])
    counts = np.random.default_rng(1).multinomial(100_000, observed.probabilities)
    _, individual = fitted(right(), Distribution(4, np.arange(16), counts / 100_000), range(4))
    assert np.abs(individual.distribution.probabilities - observed.probabilities).max() < 0.01


def test_an_outcome_that_only_an_error_explains_is_no_obstacle():
    bell = Distribution.of({"00": 0.5, "11": 0.5}, 2)
    common, _ = fitted(bell, misread(bell, [0.02, 0.02]), range(2))
    assert common.distribution.to_dict() == pytest.approx(misread(bell, [0.02, 0.02]).to_dict(), abs=1e-12)


def test_right_observations_need_no_error():
    assert fitted(right(), right(), range(4)) == [None, None]


def test_clbits_that_are_never_written_stay_0():
    reference = Distribution.of({"000": 0.3, "001": 0.2, "100": 0.5}, 3)
    observed = Distribution.of({"000": 0.35, "001": 0.2, "100": 0.4, "101": 0.05}, 3)
    for prediction in fitted(reference, observed, [0, 2]):
        assert all(bitstring[1] == "0" for bitstring in prediction.distribution.to_dict())


@pytest.mark.parametrize("number", [0, 1, MOST_CLBITS + 1])
def test_one_clbit_and_very_many_are_not_fitted_together(number):
    wide = Distribution.of({30 * "0": 1.0}, 30)
    assert not list(readout_errors(wide, wide, range(number)))
