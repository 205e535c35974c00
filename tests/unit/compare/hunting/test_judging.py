from __future__ import annotations

import numpy as np
import pytest

from gateway.circuit import Circuit
from gateway.compare.hunting.judging import largest_difference, state_difference, tolerance
from gateway.compare.statistics.outcomes import Distribution
from gateway.results import Precision


def of(**probabilities: float) -> Distribution:
    return Distribution.of({key.strip("_"): value for key, value in probabilities.items()}, 2)


def test_the_largest_difference_is_that_of_one_outcome():
    difference, outcome = largest_difference(of(_00=0.5, _11=0.5), of(_00=0.5, _01=0.2, _11=0.3))
    assert difference == pytest.approx(0.2)
    assert outcome == "11"


def test_of_outcomes_that_differ_as_much_the_lacking_one_is_named():
    assert largest_difference(of(_10=1.0), of(_01=1.0)) == (1.0, "10")


def test_equal_distributions_differ_by_nothing():
    assert largest_difference(of(_01=1.0), of(_01=1.0))[0] == 0
    assert largest_difference(of(), of()) == (0.0, "")


def test_outcomes_of_many_clbits_are_compared_too():
    first, second = (Distribution.of({key: 1.0}, 70) for key in ("1" + "0" * 69, "0" * 70))
    assert largest_difference(first, second) == (1.0, "1" + "0" * 69)


def test_another_global_phase_is_told_from_another_state():
    state = np.array([0.6, 0.8j])
    assert state_difference(state, state * np.exp(0.5j))[1]
    difference, is_phase = state_difference(state, np.array([0.8, 0.6j]))
    assert difference == pytest.approx(0.2)
    assert not is_phase


def test_more_operations_larger_angles_and_less_precision_are_allowed_more():
    plain = tolerance(Circuit(1).h(0), Precision.DOUBLE)
    assert plain < 1e-8
    assert tolerance(Circuit(1).rx(1e8, 0), Precision.DOUBLE) > 10 * plain
    assert tolerance(Circuit(1).h(0), Precision.SINGLE) > 1000 * plain
