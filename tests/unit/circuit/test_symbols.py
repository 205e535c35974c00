from __future__ import annotations

import math

import pytest

from gateway.circuit import Circuit, Comparison
from gateway.circuit.gates import GATES
from gateway.circuit.symbols import Mark, sentence, symbol


def last(circuit: Circuit):
    return circuit.operations[-1]


def test_controls_come_before_targets():
    sign = symbol(last(Circuit(3).ccx(2, 0, 1)))
    assert (sign.mark, sign.controls, sign.targets) == (Mark.NOT, (2, 0), (1,))


def test_angles_are_multiples_of_pi():
    assert symbol(last(Circuit(1).u(math.pi, -math.pi / 2, 0.3, 0))).angles == "π,-π/2,0.3"


@pytest.mark.parametrize(
    ("name", "numbered"), [("rzz", False), ("rzx", True), ("swap", False), ("ecr", True), ("cz", False)]
)
def test_targets_have_numbers_where_they_play_different_parts(name, numbered):
    circuit = Circuit(2).gate(name, (0, 1), [0.1] * GATES[name].num_params)
    assert symbol(last(circuit)).numbered is numbered


def test_what_is_written_and_tested_stands_beside_the_clbits():
    circuit = Circuit(1, 3)
    assert symbol(last(circuit.measure(0, 2))).classical == "2"
    assert symbol(last(circuit.x(0, when={0: 0, 1: 1}))).classical == "0,1=2"
    assert symbol(last(circuit.x(0, when=Comparison((0,), 1, equal=False)))).classical == "0≠1"
    assert symbol(last(circuit.measure(0, 2, when={0: 1}))).classical == "0=1→2"
    assert symbol(last(circuit.x(0))).classical == ""


def test_an_operation_is_said_in_words():
    circuit = Circuit(3, 2)
    assert sentence(last(circuit.rx(math.pi / 2, 1))) == "rx(π/2) on q1"
    assert sentence(last(circuit.cx(0, 2, when={0: 1}))) == "cx on q0, q2 if c0=1"
    assert sentence(last(circuit.measure(2, 1))) == "measure on q2 into c1"
    assert sentence(last(circuit.gphase(1))) == "gphase(1)"


@pytest.mark.parametrize("gate", GATES.values(), ids=GATES)
def test_every_gate_has_a_symbol_with_all_its_qubits(gate):
    qubits = tuple(range(gate.num_qubits))
    sign = symbol(last(Circuit(5).gate(gate.name, qubits, [0.1] * gate.num_params)))
    assert (*sign.controls, *sign.targets) == qubits
    assert sign.angles.count("0.1") == gate.num_params


def test_what_would_be_long_is_short():
    circuit = Circuit(300, 300).x(0, when=Comparison(tuple(range(300)), 2**299)).barrier()
    condition, barrier = circuit.operations
    assert symbol(condition).tests == f"0,1,2,3,4,…97,298,299={str(2**299)[:10]}…{str(2**299)[-10:]}"
    assert sentence(barrier) == "barrier on 300 qubits"
