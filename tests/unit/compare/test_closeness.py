from __future__ import annotations

import numpy as np
import pytest

from gateway.circuit import Circuit
from gateway.compare.closeness import largest_difference, most_different, state_difference, tolerance
from gateway.compare.statistics.outcomes import Distribution
from gateway.results import Precision


def of(**probabilities: float) -> Distribution:
    return Distribution.of({key.strip("_"): value for key, value in probabilities.items()}, 2)


def test_the_largest_difference_is_that_of_one_outcome():
    right, wrong = of(_00=0.5, _11=0.5), of(_00=0.5, _01=0.2, _11=0.3)
    assert largest_difference(right, wrong) == largest_difference(wrong, right) == pytest.approx(0.2)
    assert most_different(right, wrong) == "11"


def test_of_outcomes_that_differ_as_much_the_lacking_one_is_named():
    assert largest_difference(of(_10=1.0), of(_01=1.0)) == 1.0
    assert most_different(of(_10=1.0), of(_01=1.0)) == "10"


def test_equal_distributions_differ_by_nothing():
    assert largest_difference(of(_01=1.0), of(_01=1.0)) == 0
    assert largest_difference(of(), of()) == 0
    assert most_different(of(), of()) == ""


def test_distributions_of_different_widths_have_nothing_in_common():
    assert largest_difference(of(_00=1.0), Distribution.of({"0": 1.0}, 1)) == 1.0


def test_outcomes_of_many_clbits_are_compared_too():
    first, second = (Distribution.of({key: 1.0}, 70) for key in ("1" + "0" * 69, "0" * 70))
    assert largest_difference(first, second) == 1.0
    assert most_different(first, second) == "1" + "0" * 69


def test_another_global_phase_is_told_from_another_state():
    state = np.array([0.6, 0.8j])
    assert state_difference(state, state * np.exp(0.5j))[1]
    difference, is_phase = state_difference(state, np.array([0.8, 0.6j]))
    assert difference == pytest.approx(0.2)
    assert not is_phase


def test_more_operations_larger_angles_and_less_precision_are_allowed_more():
    plain = tolerance(Circuit(1).h(0), Precision.DOUBLE)
    assert plain == tolerance(Circuit(1).rx(1.5, 0)) == 1e-10
    assert 1e-8 < tolerance(Circuit(1).rx(1e8, 0), Precision.DOUBLE) < 1e-6
    assert 1000 * plain < tolerance(Circuit(1).h(0), Precision.SINGLE) < 1e-4
