from __future__ import annotations

import math
import random

import numpy as np
import pytest
import qiskit.qasm2
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit.quantum_info import Operator
from support.dynamic_programs import Programs
from support.reference import distribution
from support.simulation import assert_same_behaviour, unitary

from gateway.circuit import Circuit, Comparison, Expression, Operation, bits, parameter, parse
from gateway.circuit.export import QELIB1, STDGATES, dump_openqasm2, dump_openqasm3
from gateway.circuit.gates import GATES
from gateway.errors import UnsupportedError

DUMPS = pytest.mark.parametrize("dump", [dump_openqasm2, dump_openqasm3], ids=["openqasm2", "openqasm3"])


def random_circuit(seed: int, names: list[str], *, dynamic: bool) -> Circuit:
    rng = random.Random(seed)
    qubits = rng.randint(1, 4)
    circuit = Circuit(qubits, rng.randint(1, 4))
    fitting = [GATES[name] for name in names if GATES[name].num_qubits <= qubits]
    measured = 0
    for _ in range(12):
        when = None
        if dynamic and rng.random() < 0.4:
            when = {rng.randrange(circuit.num_clbits): rng.randint(0, 1)}
        gate = rng.choice(fitting)
        params = [rng.choice([rng.uniform(-7, 7), math.pi / 2, -3 * math.pi / 8, 1e-9]) for _ in range(gate.num_params)]
        circuit.gate(gate.name, rng.sample(range(qubits), gate.num_qubits), params, when=when)
        if dynamic and rng.random() < 0.3 and measured < 4:
            measured += 1
            circuit.measure(rng.randrange(qubits), rng.randrange(circuit.num_clbits), when=when)
            circuit.barrier(*rng.sample(range(qubits), rng.randint(1, qubits)))
            if rng.random() < 0.3:
                circuit.reset(rng.randrange(qubits))
    return circuit


@DUMPS
@pytest.mark.parametrize("seed", range(25))
def test_any_circuit_does_the_same_after_a_round_trip(dump, seed):
    circuit = random_circuit(seed, list(GATES), dynamic=True)
    back = parse(dump(circuit))
    back.validate()
    assert_same_behaviour(circuit, back)


@pytest.mark.parametrize("seed", range(25))
def test_a_circuit_of_the_languages_own_gates_comes_back_equal(seed):
    circuit = random_circuit(seed, sorted(STDGATES - {"gphase"}), dynamic=True)
    assert parse(dump_openqasm3(circuit)) == circuit
    circuit = random_circuit(seed, sorted(QELIB1), dynamic=True)
    assert parse(dump_openqasm2(circuit)) == circuit


@pytest.mark.parametrize("seed", range(15))
def test_qiskit_reads_openqasm_2_as_the_same_unitary(seed):
    circuit = random_circuit(seed, sorted(set(GATES) - {"c4x"}), dynamic=False)
    theirs = Operator(qiskit.qasm2.loads(dump_openqasm2(circuit))).data
    np.testing.assert_allclose(theirs, unitary(circuit), atol=1e-9)


@DUMPS
@pytest.mark.parametrize("gate", GATES.values(), ids=GATES)
def test_every_gate_is_said_with_its_unitary_and_phase(dump, gate):
    params = [0.3 + place for place in range(gate.num_params)]
    circuit = Circuit(max(1, gate.num_qubits)).gate(gate.name, range(gate.num_qubits)[::-1], params)
    back = parse(dump(circuit))
    np.testing.assert_allclose(unitary(back), unitary(circuit), atol=1e-12)


def test_text_is_deterministic_and_minimal():
    circuit = Circuit(2, 2).h(0).cx(0, 1).rz(math.pi / 2, 1).barrier().measure(0, 0).measure(1, 1)
    assert dump_openqasm2(circuit) == (
        'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[2];\ncreg c[2];\nh q[0];\ncx q[0],q[1];\nrz(pi/2) q[1];\n'
        "barrier q;\nmeasure q[0] -> c[0];\nmeasure q[1] -> c[1];\n"
    )
    assert dump_openqasm3(circuit) == (
        'OPENQASM 3.0;\ninclude "stdgates.inc";\nqubit[2] q;\nbit[2] c;\nh q[0];\ncx q[0],q[1];\nrz(pi/2) q[1];\n'
        "barrier q;\nc[0] = measure q[0];\nc[1] = measure q[1];\n"
    )


@DUMPS
@given(angle=st.floats(allow_nan=False, allow_infinity=False))
@settings(max_examples=200, deadline=None)
def test_every_float_comes_back_bit_for_bit(dump, angle):
    (operation,) = parse(dump(Circuit(1).rz(angle, 0))).operations
    assert operation.params == (angle,)


@DUMPS
@given(numerator=st.integers(-64, 64), denominator=st.integers(1, 16))
@settings(max_examples=200, deadline=None)
def test_fractions_of_pi_come_back_bit_for_bit(dump, numerator, denominator):
    angle = numerator * math.pi / denominator
    (operation,) = parse(dump(Circuit(1).rz(angle, 0))).operations
    assert operation.params == (angle,)


@pytest.mark.parametrize(
    ("angle", "text"),
    [
        (math.pi, "pi"),
        (-math.pi / 4, "-pi/4"),
        (3 * math.pi / 8, "3*pi/8"),
        (0.0, "0.0"),
        (1e-7, "1.0e-07"),
        (1e22, "1.0e+22"),
        (0.1, "0.1"),
        (math.nextafter(math.pi, 4), "3.1415926535897936"),
    ],
)
def test_an_angle_is_written_in_its_simplest_exact_form(angle, text):
    assert f"rz({text}) q[0];" in dump_openqasm2(Circuit(1).rz(angle, 0))


@DUMPS
def test_registers_are_cut_at_the_conditions(dump):
    circuit = Circuit(1, 5).x(0, when=Comparison((1, 2), 2)).x(0, when=Comparison((1, 2), 1)).x(0, when={4: 1})
    text = dump(circuit)
    assert parse(text) == circuit
    assert "c1 == 2" in text or "c1==2" in text


@DUMPS
def test_a_condition_on_all_clbits_keeps_one_register(dump):
    circuit = Circuit(1, 3).x(0, when=Comparison((0, 1, 2), 5))
    assert parse(dump(circuit)) == circuit
    assert "c[3];" in dump(circuit) or "bit[3] c;" in dump(circuit)


@DUMPS
def test_a_permuted_comparison_means_the_same(dump):
    circuit = Circuit(2, 2).h(0).measure(0, 0).h(1).measure(1, 1).x(0, when=Comparison((1, 0), 1))
    assert_same_behaviour(circuit, parse(dump(circuit)))


def test_openqasm_3_says_every_condition():
    circuit = Circuit(2, 4)
    for condition in [
        (Comparison((0, 2), 1),),
        (Comparison((0, 2), 1, equal=False),),
        (Comparison((2, 0), 2),),
        (Comparison((0, 1, 2, 3), 9, equal=False),),
        (Comparison((1, 2), 3, equal=False),),
        (Comparison((0,), 1), Comparison((1,), 0)),
        (Comparison((0,), 0, equal=False), Comparison((1, 3), 2, equal=False), Comparison((2, 3), 1)),
    ]:
        circuit.x(0, when=condition).cx(0, 1, when=condition).measure(0, 0, when=condition)
    assert parse(dump_openqasm3(circuit)) == circuit


@pytest.mark.parametrize(
    "conditions",
    [
        [(Comparison((0, 2), 1),)],
        [(Comparison((0, 1), 1, equal=False),)],
        [(Comparison((0, 1), 1),), (Comparison((1, 2), 1),)],
        [(Comparison((0, 1), 1),), (Comparison((0,), 1),)],
    ],
)
def test_openqasm_2_refuses_what_it_cannot_say_and_names_openqasm_3(conditions):
    circuit = Circuit(1, 3)
    for condition in conditions:
        circuit.x(0, when=condition)
    with pytest.raises(UnsupportedError, match=rf"operation {len(conditions) - 1} \(x\) .*OpenQASM 3 can"):
        dump_openqasm2(circuit)
    assert parse(dump_openqasm3(circuit)) == circuit


def test_openqasm_2_joins_a_conjunction_into_one_register():
    circuit = Circuit(1, 2).h(0).measure(0, 0).x(0, when=(Comparison((0,), 1), Comparison((1,), 1, equal=False)))
    assert "if(c==1) x q[0];" in dump_openqasm2(circuit)
    assert_same_behaviour(circuit, parse(dump_openqasm2(circuit)))


def test_a_condition_that_contradicts_itself_says_nothing():
    circuit = Circuit(1, 1).x(0, when=(Comparison((0,), 1), Comparison((0,), 0)))
    assert "x q" not in dump_openqasm2(circuit)


def test_a_global_phase_is_kept_in_openqasm_2_and_needs_a_qubit_there():
    circuit = Circuit(2, 1).gphase(0.7).h(0).measure(0, 0).gphase(0.2, when={0: 1})
    assert_same_behaviour(circuit, parse(dump_openqasm2(circuit)))
    with pytest.raises(UnsupportedError, match="global phase of a circuit without qubits"):
        dump_openqasm2(Circuit().gphase(1.0))
    assert parse(dump_openqasm3(Circuit().gphase(1.0))) == Circuit().gphase(1.0)


@DUMPS
@pytest.mark.parametrize("circuit", [Circuit(), Circuit(3), Circuit(0, 3), Circuit(2, 1).barrier(1)])
def test_circuits_with_hardly_anything_come_back_equal(dump, circuit):
    assert parse(dump(circuit)) == circuit


def test_methods_of_the_circuit_do_the_same():
    circuit = Circuit(1, 1).h(0).measure(0, 0)
    assert Circuit.from_openqasm(circuit.to_openqasm2()) == circuit
    assert Circuit.from_openqasm(circuit.to_openqasm3()) == circuit
    assert circuit.draw().startswith("q0:")


# ---------------------------------------------------------------------------- control flow and parameters


@pytest.mark.parametrize("seed", range(0, 40, 2))
def test_a_program_of_loops_and_assignments_does_the_same_after_a_round_trip(seed):
    try:
        circuit = parse(Programs(random.Random(seed)).text())
    except UnsupportedError:  # a real number in a loop
        return
    back = parse(dump_openqasm3(circuit))
    back.validate()
    assert distribution(back) == pytest.approx(distribution(circuit), abs=1e-9)


@pytest.mark.parametrize("op", ["+", "-", "*", "/", "%", "&", "|", "^", "==", "!=", "<", "<=", ">", ">=", "and", "or"])
def test_every_operator_of_two_values_is_said(op):
    second = Expression("|", (bits(2, 3), 1))  # never 0
    circuit = Circuit(4, 8)
    for qubit in range(4):
        circuit.h(qubit).measure(qubit, qubit)
    circuit.set([4, 5, 6, 7], Expression(op, (Expression("signed", (bits(1, 0), 2)), second)))
    assert distribution(parse(dump_openqasm3(circuit))) == pytest.approx(distribution(circuit))


@pytest.mark.parametrize(
    "value",
    [
        Expression("-", (bits(0, 1),)),
        Expression("~", (bits(0, 1),)),
        Expression("not", (bits(0, 1),)),
        Expression("<<", (bits(0, 1), bits(2))),
        Expression(">>", (bits(0, 1, 2), bits(2))),
        Expression("if", (bits(2), bits(1, 0), 5)),
        Expression("wrap", (Expression("+", (bits(0, 1, 2), 3)), 3)),
        Expression("popcount", (bits(0, 1, 2),)),
        Expression("+", (bits(0, 1), bits(1, 2))),
        -3,
        10,
    ],
    ids=str,
)
def test_every_other_value_is_said(value):
    circuit = Circuit(3, 7)
    for qubit in range(3):
        circuit.h(qubit).measure(qubit, qubit)
    circuit.set([5, 3, 4, 6], value)
    assert distribution(parse(dump_openqasm3(circuit))) == pytest.approx(distribution(circuit))


def test_parameters_become_inputs_and_come_back():
    theta, phi = parameter("theta"), parameter("phi0")
    angle = -((theta / 2 + 0.125) ** 2) * phi
    circuit = Circuit(1).rx(angle, 0).rz(Expression("asin", (theta,)), 0).p(Expression("abs", (phi,)), 0)
    text = dump_openqasm3(circuit)
    assert "input float theta;\ninput float phi0;\n" in text
    back = parse(text)
    assert back.parameters == ("theta", "phi0")
    values = {"theta": 0.4, "phi0": -1.5}
    for ours, theirs in zip(circuit.bind(values).operations, back.bind(values).operations, strict=True):
        assert ours.params == pytest.approx(theirs.params)


def test_registers_get_out_of_the_way_of_parameters():
    circuit = Circuit(1, 1).rx(parameter("q"), 0).ry(parameter("c0"), 0).measure(0, 0)
    text = dump_openqasm3(circuit)
    assert "qubit[1] q_;" in text
    assert "bit[1] c_;" in text
    assert parse(text) == circuit


def test_a_parameter_with_the_name_of_a_word_is_refused():
    with pytest.raises(UnsupportedError, match="the parameter 'gate' has the name of a word"):
        dump_openqasm3(Circuit(1).rx(parameter("gate"), 0))


@pytest.mark.parametrize(
    ("circuit", "what"),
    [
        (Circuit(1, 1).set([0], 1), "is an assignment"),
        (Circuit(1, 1).while_({0: 1}).x(0).end(), "belongs to a loop"),
        (Circuit(1, 1, [Operation("measure", (0,), (), (1,))], 1), "writes to a hidden clbit"),
        (Circuit(1, 1, [Operation("x", (0,), (), (), (Comparison((1,), 1),))], 1), "tests a hidden clbit"),
        (Circuit(1).rx(parameter("t"), 0), "has a parameter without a value"),
    ],
    ids=["set", "while", "measure", "if", "parameter"],
)
def test_openqasm_2_refuses_by_name_what_it_cannot_say(circuit, what):
    with pytest.raises(UnsupportedError, match=f"operation 0 .* {what}; OpenQASM 2 cannot") as caught:
        dump_openqasm2(circuit)
    assert (caught.value.feature, caught.value.operation) == (what, 0)
