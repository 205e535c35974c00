"""What belongs to a result type has to fit it, and the circuit."""

from __future__ import annotations

import re

import pytest

from gateway.amplitudes import Amplitudes
from gateway.counts import Counts, Probabilities, Statevector
from gateway.errors import LimitError, RequestError
from gateway.expectation import Expectation
from gateway.observables import PauliTerm, observable_list
from gateway.run_details import MOST_BITSTRINGS, MOST_TERMS, NO_DETAILS, RunDetails
from gateway.shot_memory import Memory


def check(kind, **details):
    RunDetails(**details).check(kind, num_qubits=3, num_clbits=2)


def test_nothing_besides_fits_what_needs_nothing():
    for kind in (Counts, Probabilities, Statevector):
        NO_DETAILS.check(kind, 0, 0)


def test_counts_and_probabilities_take_clbits_in_any_order():
    for kind in (Counts, Probabilities, Memory):
        check(kind, clbits=(1, 0))
        check(kind, clbits=())


@pytest.mark.parametrize(
    ("kind", "details", "field", "sentence"),
    [
        (Statevector, {"clbits": (0,)}, "clbits", "clbits are for the result counts or probabilities or memory"),
        (Counts, {"observables": observable_list("Z")}, "observables", "observables are for the result expectation"),
        (Counts, {"bitstrings": ("000",)}, "bitstrings", "bitstrings are for the result amplitudes, not for counts"),
        (Expectation, {}, "observables", "the result expectation needs observables"),
        (Amplitudes, {}, "bitstrings", "the result amplitudes needs bitstrings"),
        (
            Expectation,
            {"observables": observable_list(["ZZ", "Z3"])},
            "observables",
            "an observable acts on qubit 3, and the circuit has 3 qubits",
        ),
        (Amplitudes, {"bitstrings": ("00",)}, "bitstrings", "'00' is not a bitstring of 3 qubits"),
        (Amplitudes, {"bitstrings": ("00x",)}, "bitstrings", "'00x' is not a bitstring of 3 qubits"),
        (Amplitudes, {"bitstrings": ("000", "000")}, "bitstrings", "a bitstring is asked for twice"),
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


@pytest.mark.parametrize(
    ("kind", "details", "limit", "allowed"),
    [
        (Expectation, {"observables": ((PauliTerm("Z", (0,)),) * 1_000_000,)}, "terms", MOST_TERMS),
        (Amplitudes, {"bitstrings": ("000",) * (MOST_BITSTRINGS + 1)}, "bitstrings", MOST_BITSTRINGS),
    ],
)
def test_too_much_is_refused_with_what_is_allowed(kind, details, limit, allowed):
    with pytest.raises(LimitError) as caught:
        check(kind, **details)
    assert (caught.value.limit, caught.value.allowed) == (limit, allowed)
    assert caught.value.requested > allowed
