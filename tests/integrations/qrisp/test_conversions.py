"""Qrisp's circuits in and out: what holds for every framework, and what is Qrisp's own."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from qrisp import QuantumBool, QuantumFloat, QuantumSession, QuantumVariable, control, cx, h, mcx, ry, x
from qrisp.circuit import (
    GPhaseGate,
    HGate,
    Operation,
    PGate,
    QuantumCircuit,
    Qubit,
    RGate,
    RXGate,
    RXXGate,
    SGate,
    SwapGate,
    SXDGGate,
    SXGate,
    TGate,
    U1Gate,
    U3Gate,
    XGate,
    XXYYGate,
    YGate,
    ZGate,
)  # fmt: skip
from support.circuits import random_dynamic_circuit
from support.frameworks import Framework
from support.reference import distribution
from support.simulation import assert_same_behaviour, unitary
from unit.frameworks.test_frameworks import *  # noqa: F403 - the tests that hold for every framework

from gateway.circuit import Circuit, Comparison, parameter
from gateway.circuit.conditions import clbits_of
from gateway.errors import RequestError, UnsupportedError
from gateway.frameworks import dump, parse


def matrix(circuit: QuantumCircuit, num_qubits: int) -> np.ndarray:
    """Return the matrix Qrisp itself gives, turned around: its qubit 0 is the most significant."""
    tensor = circuit.get_unitary().reshape([2] * 2 * num_qubits)
    turned = [*reversed(range(num_qubits)), *reversed(range(num_qubits, 2 * num_qubits))]
    return tensor.transpose(turned).reshape(2**num_qubits, 2**num_qubits)


@pytest.fixture
def name() -> str:
    return "qrisp"


@pytest.fixture
def framework() -> Framework:
    return Framework(matrix, lambda: Qubit("q"), phase=False)


def applied(operation: Operation, qubits=None) -> QuantumCircuit:
    qubits = list(range(operation.num_qubits)) if qubits is None else qubits
    circuit = QuantumCircuit(max(qubits) + 1)
    circuit.append(operation, [circuit.qubits[qubit] for qubit in qubits])
    return circuit


# ---------------------------------------------------------------------------- operations


def nested() -> Operation:
    inner = QuantumCircuit(2)
    inner.h(0)
    inner.append(U3Gate(0.1, 0.2, 0.3, global_phase=0.4), inner.qubits[1])
    inner.cx(1, 0)
    middle = QuantumCircuit(3)
    middle.append(inner.to_gate("inner"), [middle.qubits[2], middle.qubits[0]])
    middle.append(inner.to_gate("inner").inverse(), [middle.qubits[1], middle.qubits[2]])
    middle.gphase(0.7, 0)
    return middle.to_gate("nested")


OPERATIONS = [
    SXGate(), SXDGGate(), U1Gate(0.3), RGate(0.3, 0.4), GPhaseGate(0.3), SGate().inverse(), TGate().inverse(),
    U3Gate(0.1, 0.2, 0.3), U3Gate(0.1, 0.2, 0.3, global_phase=0.4), U3Gate(0.1, 0.2, 0.3).inverse(),
    U3Gate(0.0, 0.2, 0.3, global_phase=0.4), PGate(0.3), PGate(0.3).inverse(), RXGate(-0.3), RXXGate(0.3),
    XXYYGate(0.3, 0.4), SwapGate(), SwapGate().control(2), XGate().control(3, ctrl_state="010"),
    XGate().control(4, ctrl_state=5), XGate().control(2, method="gray_pt"), XGate().control(3, method="gray_pt_inv"),
    YGate().control(2), HGate().control(2, ctrl_state=1), PGate(0.3).control(3), SXGate().control(),
    U3Gate(0.1, 0.2, 0.3, global_phase=0.4).control(2), GPhaseGate(0.3).control(), GPhaseGate(0.3).control(2),
    U1Gate(0.3).control(), ZGate().control().control(2), nested(), nested().inverse(), nested().control(),
    nested().control(2, ctrl_state="01"),
]  # fmt: skip


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_an_operation_keeps_its_matrix_and_its_phase(operation: Operation):
    circuit = applied(operation, list(range(operation.num_qubits))[::-1])
    np.testing.assert_allclose(unitary(parse(circuit)), matrix(circuit, operation.num_qubits), atol=1e-6)


def test_a_name_says_nothing_of_what_an_operation_does():
    imposter = QuantumCircuit(2)
    imposter.cx(1, 0)
    circuit = applied(imposter.to_gate("swap"))
    circuit.append(U3Gate(0.3, 0, 0, name="h"), circuit.qubits[0])
    assert parse(circuit) == Circuit(2).cx(1, 0).ry(0.3, 0)


def test_what_qrisp_has_under_a_name_of_ours_is_kept_whole():
    circuit = QuantumCircuit(3, 1)
    for method in (
        circuit.x,
        circuit.y,
        circuit.z,
        circuit.h,
        circuit.s,
        circuit.t,
        circuit.id,
        circuit.s_dg,
        circuit.t_dg,
    ):
        method(0)
    circuit.cx(0, 1), circuit.cz(1, 2), circuit.cp(0.3, 0, 2), circuit.swap(0, 2), circuit.mcx([0, 1], 2)
    circuit.rx(0.1, 0), circuit.ry(0.2, 0), circuit.rz(0.3, 0), circuit.p(0.4, 0)
    circuit.barrier(), circuit.reset(1), circuit.measure(0, 0)
    names = [op.name for op in parse(circuit).operations]
    assert names == [
        *("x", "y", "z", "h", "s", "t", "id", "sdg", "tdg", "cx", "cz", "cp", "swap", "ccx"),
        *("rx", "ry", "rz", "p", "barrier", "reset", "measure"),
    ]  # fmt: skip


@pytest.mark.parametrize("method", ["gray", "gray_pt", "balauca", "jones", "gidney", "maslov", "auto"])
def test_every_way_to_make_a_toffoli_gives_what_qrisp_says_it_does(method: str):
    session = QuantumSession()
    qubits = QuantumVariable(3, qs=session)
    mcx([qubits[0], qubits[1]], qubits[2], method=method)
    compiled = session.compile()
    np.testing.assert_allclose(unitary(parse(session)), matrix(compiled, len(compiled.qubits)), atol=1e-6)


# ---------------------------------------------------------------------------- conditions


def test_a_condition_on_one_clbit():
    circuit = QuantumCircuit(2, 2)
    circuit.h(0)
    circuit.measure(0, 1)
    circuit.append(XGate().c_if(), [circuit.qubits[1]], [circuit.clbits[1]])
    assert parse(circuit) == Circuit(2, 2).h(0).measure(0, 1).x(1, when={1: 1})


@pytest.mark.parametrize("state", ["10", 1])
def test_the_first_clbit_of_a_condition_is_the_first_character_and_the_lowest_bit(state):
    circuit = QuantumCircuit(1, 2)
    circuit.append(XGate().c_if(2, state), circuit.qubits, circuit.clbits)
    assert parse(circuit) == Circuit(1, 2).x(0, when={0: 1, 1: 0})


def test_a_condition_on_a_gate_with_a_definition_holds_for_all_of_it():
    circuit = QuantumCircuit(3, 1)
    circuit.measure(2, 0)
    inner = QuantumCircuit(2)
    inner.h(0)
    inner.cx(0, 1)
    circuit.append(inner.to_gate("bell").c_if(), circuit.qubits[:2], circuit.clbits)
    assert parse(circuit) == Circuit(3, 1).measure(2, 0).h(0, when={0: 1}).cx(0, 1, when={0: 1})


def test_a_condition_of_several_values_is_dumped_as_one_c_if_for_each():
    circuit = Circuit(1, 2).x(0, when=Comparison((0, 1), 2, equal=False))
    assert parse(dump(circuit, "qrisp")) == Circuit(1, 2).x(0, when={0: 1}).x(0, when={0: 0, 1: 0})


@pytest.mark.parametrize("seed", range(40))
def test_dynamic_circuits_do_the_same_there_and_back_or_are_refused(seed: int):  # refused: the next test
    circuit = random_dynamic_circuit(seed)
    circuit.operations = [op for op in circuit.operations if clbits_of(op.condition).isdisjoint(op.clbits)]
    assert_same_behaviour(parse(dump(circuit, "qrisp")), circuit)


def test_a_measurement_into_a_clbit_that_its_condition_tests_is_refused():
    circuit = Circuit(1, 2).measure(0, 1, when={0: 1, 1: 0})
    with pytest.raises(UnsupportedError, match="operation 0: condition: Qrisp has no measurement into a clbit"):
        dump(circuit, "qrisp")


def test_a_condition_on_many_clbits_is_a_few_c_ifs():
    circuit = Circuit(1, 20).x(0, when=Comparison(tuple(range(20)), 2, equal=False))
    assert len(dump(circuit, "qrisp").data) == 20


def test_qrisp_simulates_a_dumped_teleportation():
    circuit = dump(Circuit(3, 3).ry(1.1, 0).h(1).cx(1, 2).cx(0, 1).h(0).measure(0, 0).measure(1, 1)
                   .x(2, when={1: 1}).z(2, when={0: 1}).measure(2, 2), "qrisp")  # fmt: skip
    probabilities = circuit.run()
    assert sum(p for bits, p in probabilities.items() if bits[0] == "1") == pytest.approx(np.sin(0.55) ** 2, abs=1e-4)


# ---------------------------------------------------------------------------- what is refused


def test_an_operation_without_a_definition_is_refused_by_name_and_place():
    circuit = QuantumCircuit(2)
    circuit.x(0)
    circuit.append(Operation("magic", num_qubits=2), circuit.qubits)
    with pytest.raises(UnsupportedError, match="operation 1: magic: it has no definition") as caught:
        parse(circuit)
    assert caught.value.feature == "magic"


def with_angles(theta, phi) -> QuantumCircuit:
    circuit = QuantumCircuit(2)
    circuit.rx(theta, 0)
    circuit.rz(2 * phi - theta / 3, 1)
    circuit.p(theta**2, 0)
    circuit.append(PGate(phi).control(), circuit.qubits)
    circuit.append(U3Gate(theta, phi, 0.5), [circuit.qubits[0]])
    circuit.append(RXXGate(theta), circuit.qubits)
    return circuit


def test_symbols_stay_parameters_there_and_back():
    found = parse(with_angles(sympy.Symbol("theta"), sympy.Symbol("phi[1]")))
    values = {"theta": 0.3, "phi[1]": -0.7}
    assert set(found.parameters) == values.keys()
    wanted = matrix(with_angles(0.3, -0.7), 2)
    np.testing.assert_allclose(unitary(found.bind(values)), wanted, atol=1e-7)
    back = dump(found, "qrisp")
    assert {str(symbol) for symbol in back.abstract_params} == values.keys()
    bound = back.bind_parameters({symbol: values[str(symbol)] for symbol in back.abstract_params})
    np.testing.assert_allclose(unitary(parse(bound)), wanted, atol=1e-7)


def test_functions_of_a_symbol_are_those_of_angles_or_refused():
    theta = sympy.Symbol("t")
    found = parse(applied(RXGate(sympy.sin(theta) / sympy.sqrt(theta))))
    np.testing.assert_allclose(unitary(found.bind(t=0.4)), unitary(Circuit(1).rx(np.sin(0.4) / np.sqrt(0.4), 0)))
    with pytest.raises(UnsupportedError, match="operation 0: Max: an angle has no such function"):
        parse(applied(RXGate(sympy.Max(theta, 1))))


def test_a_symbol_of_any_name_gets_one_that_parameters_can_have():
    assert parse(applied(RXGate(sympy.Symbol("a b")))) == Circuit(1).rx(parameter("a_b"), 0)


def test_hidden_clbits_stay_hidden_there_and_back():
    circuit = Circuit(2, 1, num_hidden=1).h(0).measure(0, 1).x(1, when={1: 1}).measure(1, 0)
    assert parse(dump(circuit, "qrisp")) == circuit


def test_parities_are_noted():
    circuit = QuantumCircuit(1, 2)
    circuit.measure(circuit.qubits[0], circuit.clbits[0])
    circuit.parity(circuit.clbits)
    found = parse(circuit)
    assert found == Circuit(1, 2).measure(0, 0)
    assert found.notes == ("parities of clbits are not part of the outcome",)


@pytest.mark.parametrize(
    "circuit", [Circuit(0, 1).set([0], 1), Circuit(1, 1).while_({0: 0}).x(0).measure(0, 0).end()], ids=["set", "while"]
)
def test_loops_and_assignments_are_refused_by_name_and_place(circuit: Circuit):
    with pytest.raises(UnsupportedError, match=r"operation 0 \(.*\): Qrisp cannot express it"):
        dump(circuit, "qrisp")


def test_what_is_no_circuit_is_refused():
    with pytest.raises(RequestError, match="a QuantumCircuit, a QuantumSession or a QuantumVariable, not a Qubit"):
        parse(Qubit("q"))


# ---------------------------------------------------------------------------- sessions and variables


def test_a_session_is_what_it_compiles_to():
    session = QuantumSession()
    first, second = QuantumBool(qs=session), QuantumBool(qs=session)
    h(first)
    cx(first, second)
    assert parse(session) == Circuit(2).h(0).cx(0, 1)


def test_a_variable_is_measured_its_first_qubit_into_clbit_0():
    number, other = QuantumFloat(3), QuantumFloat(2)
    number[:] = 6
    cx(number[1], other[0])
    assert distribution(parse(number)) == pytest.approx({"110": 1})
    assert distribution(parse(other)) == pytest.approx({"01": 1})
    assert not number.qs.clbits, "the session itself is left alone"


def test_arithmetic_under_control_is_exact():
    first, second, flag = QuantumFloat(3), QuantumFloat(2), QuantumBool()
    first[:], second[:] = 3, 2
    ry(1.0, flag)
    with control(flag):
        first += second
        x(second[0])
    found = distribution(parse(first))
    assert found == pytest.approx({"011": np.cos(0.5) ** 2, "101": np.sin(0.5) ** 2}, abs=1e-6)


def test_allocations_are_left_out():
    number = QuantumFloat(2)
    h(number)
    assert {op.name for op in parse(number.qs).operations} == {"h"}
    assert any(instruction.op.name == "qb_alloc" for instruction in number.qs.data)
