"""Observables as people write them, and as they stand in a message."""

from __future__ import annotations

import json
import math
import re

import msgspec
import numpy as np
import pytest

from gateway.errors import RequestError
from gateway.observables import Observable, PauliSum, PauliTerm, observable_list

ZZI = PauliTerm("ZZ", (1, 2), 0.5)
IXX = PauliTerm("XX", (0, 1), -1.0)


@pytest.mark.parametrize(
    "written",
    [
        {"ZZI": 0.5, "IXX": -1},
        [("ZZI", 0.5), ("IXX", -1)],
        [["ZZI", 0.5], ["IXX", -1]],
        {"Z1 Z2": 0.5, "X0 X1": -1},
        {"Z2 Z1 I0": np.float64(0.5), "X1 X0": complex(-1)},
        [("ZZ", (1, 2), 0.5), ("XX", [0, 1], -1)],
        [("ZZ", (2, 1), 0.25), IXX, ("ZZI", 0.25)],
        PauliSum([ZZI, IXX]),
        "0.5 ZZI - IXX",
        " 5e-1*Z1 Z2 -X0 X1 ",
        "+.25 ZZI + 0.25ZZI - 1 X1 X0",
    ],
)
def test_one_sum_is_written_in_many_ways(written):
    assert PauliSum(written).terms == (ZZI, IXX)
    assert observable_list(written) == ((ZZI, IXX),)


def test_qubit_0_is_the_rightmost_letter():
    assert PauliSum("XIZ").terms == (PauliTerm("ZX", (0, 2)),)


@pytest.mark.parametrize("identity", ["", "I", "III", "I4", [("", (), 1)]])
def test_the_identity_has_no_letters(identity):
    assert PauliSum(identity).terms == (PauliTerm("", ()),)
    assert PauliSum(identity).num_qubits == 0


def test_several_observables_are_told_from_several_terms():
    zz, xx = PauliTerm("ZZ", (0, 1)), PauliTerm("XX", (0, 1))
    assert observable_list(["ZZ", "XX"]) == ((zz,), (xx,))
    assert observable_list([{"ZZ": 1}, PauliSum("XX"), [("XX", 1), ("ZZ", 1)]]) == ((zz,), (xx,), (xx, zz))
    assert observable_list("ZZ") == ((zz,),)


def test_a_sum_counts_its_qubits_and_shows_its_terms():
    observable = PauliSum({"Z0 X17": 0.5, "": 2})
    assert observable.num_qubits == 18
    assert repr(observable) == "PauliSum(0.5 Z0 X17 + 2 I)"
    assert PauliSum("0.5 Z0 X17 + 2 I") == observable
    assert repr(PauliSum({f"Z{qubit}": 1 for qubit in range(10)})).endswith(" + 1 Z7 + ... 2 more)")
    assert observable == PauliSum({"": 2, "X17 Z0": 0.5})
    assert len({observable, PauliSum({"": 2, "X17 Z0": 0.5})}) == 1


def test_a_sum_that_is_shown_reads_as_it_stands():
    observable = PauliSum({"ZZ": 0.5, "X3": -0.25})
    assert PauliSum("0.5 Z0 Z1 + -0.25 X3") == observable
    assert PauliSum("0.5 Z0 Z1\n        - +0.25 X3\n") == observable


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ({}, "an observable has at least one term"),
        ([], "the list of observables is empty"),
        ([[]], "an observable has at least one term"),
        ("ZAZ", "'ZAZ' is no Pauli string"),
        ("zz", "'zz' is no Pauli string"),
        ("Z0 Z0", "a Pauli string names a qubit twice"),
        ("I0 Z0", "a Pauli string names a qubit twice"),
        ({"ZZ": 1j}, "the coefficient 1j is not real, so the sum is not Hermitian"),
        ({"ZZ": math.nan}, "a coefficient is a finite number, not nan"),
        ({"ZZ": -math.inf}, "a coefficient is a finite number, not -inf"),
        ({"ZZ": 1e308, "Z0 Z1": 1e308}, "a coefficient is a finite number, not inf"),
        ({"ZZ": True}, "a coefficient is a real number, not True"),
        ({"ZZ": "1"}, "a coefficient is a real number, not '1'"),
        ({3: 1}, "a Pauli string is a text such as 'ZZI' or 'Z0 Z17', not 3"),
        ("0.5 ZZ XX", "terms of a sum are joined by + or -, not as in '0.5 ZZ XX'"),
        ("0.5 ZZ - ", "'0.5' is no Pauli string"),
        ("1e999 ZZ", "a coefficient is a finite number, not inf"),
        ([("ZZ", (0,), 1)], "2 Pauli letters for 1 qubits"),
        ([("Z", (-1,), 1)], "there is no qubit -1"),
        ([("Z", ("a",), 1)], "the qubits of a term are integers, not ('a',)"),
        ([("Z", (0.7,), 1)], "the qubits of a term are integers, not (0.7,)"),
        ([("Z", "0", 1)], "the qubits of a term are integers, not '0'"),
        ({"ZZ": 10**400}, "int too large to convert to float"),
        ("Z" + "1" * 5_000, "'Z1111"),
        ("0.5 ZZ +" + " " * 400 + "- X", "'0.5' is no Pauli string"),
        ([("I", (0,), 1)], "a Pauli string consists of the letters X, Y and Z, not 'I'"),
        (7, "an observable is a sum of Pauli strings, not 7"),
        ([7], "an observable is a sum of Pauli strings, not 7"),
        ([["ZZ", "XX"]], "a term is a Pauli string with its coefficient, such as ('ZZI', 0.5), not 'ZZ'"),
    ],
)
def test_what_is_no_observable_is_refused_in_a_sentence(written, sentence):
    with pytest.raises(RequestError, match=f"^{re.escape(sentence)}") as caught:
        observable_list(written)
    assert caught.value.field == "observables"


def test_terms_stand_in_a_message_as_arrays():
    sent = msgspec.json.encode(PauliSum({"Z3 X0": 0.5}).terms)
    assert json.loads(sent) == [["XZ", [0, 3], 0.5]]
    assert msgspec.json.decode(sent, type=Observable) == (PauliTerm("XZ", (0, 3), 0.5),)


@pytest.mark.parametrize("sent", [b'[["XZ", [0], 1]]', b'[["Q", [0], 1]]', b'[["XX", [0, 0], 1]]', b'[["X", [-1], 1]]'])
def test_a_message_with_another_string_is_refused(sent):
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(sent, type=Observable)
