"""Expectation values as users hold them."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest

from gateway.expectation import Expectation


def test_the_value_of_one_observable_is_a_number():
    found = Expectation([0.5], [0.125], 1)
    assert (float(found), found.value, found.std_error, found.groups) == (0.5, 0.5, 0.125, 1)
    assert repr(found) == "Expectation(0.5 ± 0.12)"


def test_the_values_of_several_are_a_sequence_and_an_array():
    found = Expectation([0.5, -1.0])
    assert (list(found), len(found), found[1]) == ([0.5, -1.0], 2, -1.0)
    assert np.asarray(found).tolist() == [0.5, -1.0]
    assert np.asarray(found, dtype=np.float32).dtype == np.float32
    for name in ("value", "std_error"):
        with pytest.raises(ValueError, match="there are 2 observables"):
            getattr(found, name)


def test_it_can_be_compared_copied_and_not_changed():
    found = Expectation([0.5], [0.125], 1)
    assert found == pickle.loads(pickle.dumps(found)) != Expectation([0.5])  # noqa: S301 - our own
    assert hash(found) == hash(Expectation([0.5], [0.125], 3))
    with pytest.raises(AttributeError, match="cannot be changed"):
        found.values = ()
    with pytest.raises(ValueError, match="1 standard errors for 2 values"):
        Expectation([1, 2], [0.5])


@pytest.mark.parametrize(
    ("found", "shots", "fault"),
    [
        (Expectation([0.5], [0.1]), 10, None),
        (Expectation([0.5], [0.1]), None, "a standard error of an exact value"),
        (Expectation([math.nan]), None, "an expectation value that is no finite number"),
    ],
)
def test_it_says_what_is_wrong_with_it(found, shots, fault):
    assert found.fault(num_qubits=1, num_clbits=0, shots=shots) == fault


def test_only_the_first_of_many_are_shown_in_a_line():
    assert repr(Expectation([1.0] * 10)).endswith("1, ... 2 more)")


def test_a_notebook_shows_a_row_for_each_observable():
    html = Expectation([0.5, -1.0], [0.25, 0.0], 2)._repr_html_()
    assert "+0.500000" in html
    assert "\N{MINUS SIGN}1.000000" in html
    assert "standard error" in html
    assert "standard error" not in Expectation([0.5])._repr_html_()
