"""The names of gates in texts: other names, names of several gates, and gates under any number of controls."""

from __future__ import annotations

import numpy as np
import pytest
from support.reference import distribution, unitary

from gateway.circuit import Circuit, Limits
from gateway.circuit.gates import ALIASES, GATES, MANY_CONTROLLED
from gateway.circuit.modifiers import many_controlled
from gateway.circuit.openqasm.definitions import built_in
from gateway.errors import CircuitInvalidError, LimitError

HEADS = {"2": "OPENQASM 2.0; qreg q[8];", "3": "OPENQASM 3.0; qubit[8] q;", "3 with a loop": "OPENQASM 3; qubit[8] q;"}
TAILS = {"2": "", "3": "", "3 with a loop": "for int turn in [1:0] { x q[0]; }"}
EVERY_LANGUAGE = pytest.mark.parametrize("language", HEADS)


def parsed(language: str, statements: str) -> Circuit:
    return Circuit.from_openqasm(f"{HEADS[language]} {statements} {TAILS[language]}")


def call(name: str, params: int, qubits: int) -> str:
    angles = f"({', '.join(f'0.{place + 3}' for place in range(params))})" if params else ""
    return f"{name}{angles} {', '.join(f'q[{place}]' for place in range(qubits))};"


@EVERY_LANGUAGE
@pytest.mark.parametrize("name", ALIASES)
def test_other_name_of_a_gate_is_the_gate(name, language):
    row = GATES[ALIASES[name]]
    found = parsed(language, call(name, row.num_params, row.num_qubits))
    assert found.operations == parsed(language, call(row.name, row.num_params, row.num_qubits)).operations
    assert [op.name for op in found.operations] == [row.name]


@EVERY_LANGUAGE
def test_number_of_angles_tells_the_two_gates_named_ms_apart(language):
    found = parsed(language, "ms(0.1) q[0], q[1]; ms(0.1, 0.2, 0.3) q[0], q[1];")
    assert [op.name for op in found.operations] == ["ms", "ms3"]
    with pytest.raises(CircuitInvalidError, match="ms takes 1 parameter, not 2"):
        parsed(language, "ms(0.1, 0.2) q[0], q[1];")


@EVERY_LANGUAGE
@pytest.mark.parametrize("controls", [1, 2, 5])
@pytest.mark.parametrize("name", MANY_CONTROLLED)
def test_gate_under_many_controls_acts_if_they_are_all_1(name, controls, language):
    row = GATES[MANY_CONTROLLED[name]]
    size = controls + row.num_qubits
    found = parsed(language, call(name, row.num_params, size))
    matrix = unitary(Circuit(size).with_operations(found.operations))
    where_all = [index for index in range(2**size) if index % 2**controls == 2**controls - 1]
    expected = np.eye(2**size, dtype=complex)
    expected[np.ix_(where_all, where_all)] = row.unitary(*[float(f"0.{place + 3}") for place in range(row.num_params)])
    np.testing.assert_allclose(matrix, expected, atol=1e-9)


@EVERY_LANGUAGE
def test_gate_under_many_controls_stands_in_a_definition_and_under_modifiers(language):
    by_hand = parsed(language, "gate mine(a) x0, x1, x2 { mcp(a) x0, x1, x2; mcx x2, x0; } mine(0.3) q[0], q[1], q[2];")
    np.testing.assert_allclose(
        unitary(Circuit(3).with_operations(by_hand.operations)),
        unitary(Circuit(3).with_operations(parsed(language, "mcp(0.3) q[0], q[1], q[2]; cx q[2], q[0];").operations)),
        atol=1e-12,
    )
    if language != "2":
        found = parsed(language, "ctrl @ mcx q[0], q[1], q[2]; inv @ mcphase(0.5) q[0], q[1];")
        assert [str(op) for op in found.operations] == ["ccx 0 1 2", "cp(-0.5) 0 1"]


@EVERY_LANGUAGE
def test_wrong_numbers_for_a_gate_under_many_controls_are_errors(language):
    with pytest.raises(CircuitInvalidError, match="mcx acts on 2 qubits or more, not 1"):
        parsed(language, "mcx q[0];")
    with pytest.raises(CircuitInvalidError, match="mcp takes 1 parameter, not 0"):
        parsed(language, "mcp q[0], q[1];")


@EVERY_LANGUAGE
def test_gate_with_too_many_controls_is_refused_before_it_is_built(language):
    operands = ", ".join(f"q[{place}]" for place in range(3000))
    text = f"{HEADS[language].replace('8', '3000')} mcx {operands}; {TAILS[language]}"
    with pytest.raises(LimitError, match="mcx on 3000 qubits becomes 63,000,000 operations or more"):
        Circuit.from_openqasm(text, limits=Limits())


@pytest.mark.parametrize("size", [10, 20, 101, 150])
@pytest.mark.parametrize("name", MANY_CONTROLLED)
def test_the_least_number_of_operations_is_not_more_than_there_are(name, size):
    params = (0.3,) * GATES[MANY_CONTROLLED[name]].num_params
    found = len(many_controlled(name, range(size), params))
    least = size**2 * (7 if size > 100 else 1)
    assert found >= least
    assert built_in(name, size, len(params), found).size == found
    with pytest.raises(LimitError, match="operations or more"):
        built_in(name, size, len(params), least - 1)


@EVERY_LANGUAGE
def test_definition_in_a_text_comes_before_the_table(language):
    found = parsed(language, "gate v a { z a; } gate mcx a, b { cz a, b; } v q[0]; mcx q[0], q[1];")
    assert [op.name for op in found.operations] == ["z", "cz"]


def test_text_of_braket_has_the_right_distribution():
    text = """OPENQASM 3.0; bit[2] b; qubit[2] q;
        h q[0]; v q[1]; si q[0]; phaseshift(0.3) q[0]; xx(0.7) q[0], q[1]; gpi(0.2) q[0]; gpi2(0.3) q[1];
        cphaseshift10(0.3) q[0], q[1]; prx(0.2, 0.4) q[1]; xy(0.3) q[0], q[1]; ms(0.1, 0.2, 0.3) q[0], q[1];
        b[0] = measure q[0]; b[1] = measure q[1];"""
    expected = {"10": 0.469723, "11": 0.334571, "01": 0.136241, "00": 0.059465}
    assert distribution(Circuit.from_openqasm(text)) == pytest.approx(expected, abs=1e-6)
