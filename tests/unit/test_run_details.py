"""What belongs to a result type has to fit it, and the circuit."""

from __future__ import annotations

import re

import pytest

from gateway.counts import Counts, Probabilities, Statevector
from gateway.errors import RequestError
from gateway.run_details import NO_DETAILS, RunDetails


def check(kind, **details):
    RunDetails(**details).check(kind, num_qubits=3, num_clbits=2)


def test_nothing_besides_fits_what_needs_nothing():
    for kind in (Counts, Probabilities, Statevector):
        NO_DETAILS.check(kind, 0, 0)


def test_counts_and_probabilities_take_clbits_in_any_order():
    for kind in (Counts, Probabilities):
        check(kind, clbits=(1, 0))
        check(kind, clbits=())


@pytest.mark.parametrize(
    ("kind", "details", "field", "sentence"),
    [
        (Statevector, {"clbits": (0,)}, "clbits", "clbits are for the result counts or probabilities"),
        (Counts, {"clbits": (2,)}, "clbits", "there is no clbit 2: the circuit has 2 clbits"),
        (Counts, {"clbits": (1, 1)}, "clbits", "a clbit is listed twice"),
    ],
)
def test_what_does_not_fit_is_refused_by_its_name(kind, details, field, sentence):
    with pytest.raises(RequestError, match=f"^{re.escape(sentence)}") as caught:
        check(kind, **details)
    assert caught.value.field == field


def test_the_chosen_clbits_decide_the_width():
    assert RunDetails(clbits=(4, 2)).width(7) == 2
    assert NO_DETAILS.width(7) == 7
    assert RunDetails(clbits=(1,)).selected(Counts({"01": 3, "11": 4})) == {"0": 3, "1": 4}
    assert RunDetails(clbits=(1, 0)).selected(Probabilities({"01": 0.25, "11": 0.75}, 2)) == {"10": 0.25, "11": 0.75}
