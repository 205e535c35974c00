"""The names that a text gives its qubits."""

from __future__ import annotations

import pytest
from support.mutation import PROGRAMS

from gateway.circuit import parse
from gateway.door.circuits.names import qubit_names
from gateway.errors import GatewayError


@pytest.mark.parametrize(
    ("text", "number", "names"),
    [
        ("qubit[2] n; qubit t;", 3, ["n[0]", "n[1]", "t"]),
        ("OPENQASM 2.0; qreg q[2]; qreg anc [1];", 3, ["q[0]", "q[1]", "anc[0]"]),
        ("// qubit x;\nqubit y; /* qubit[4] z; */", 1, ["y"]),
        ("const int n = 2; qubit[n] q;", 2, []),
        ("qubit[2] q;", 3, []),
        ("qubit[9999999999999999] q;", 3, []),
        ("qubit a_very_long_name_of_a_qubit;", 1, ["a_very_long…"]),
        ("", 0, []),
    ],
)
def test_names_are_those_of_the_declarations(text: str, number: int, names: list[str]) -> None:
    assert qubit_names(text, number) == names


def test_there_is_a_name_for_each_qubit_or_none_at_all() -> None:
    for text in PROGRAMS:
        try:
            circuit = parse(text)
        except GatewayError:
            continue
        assert len(qubit_names(text, circuit.num_qubits)) in {0, circuit.num_qubits}
