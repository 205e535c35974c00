"""Braket's circuits in and out: what holds for every framework, and what is Braket's own."""

from __future__ import annotations

from math import pi

import numpy as np
import pytest
from braket.circuits import Circuit as BraketCircuit
from braket.circuits import FreeParameter, Gate, Instruction, Observable
from braket.circuits.serialization import OpenQASMSerializationProperties, QubitReferenceType
from braket.devices import LocalSimulator
from braket.experimental_capabilities import EnableExperimentalCapability
from braket.ir.openqasm import Program
from braket.parametric import FreeParameterExpression
from support.frameworks import Framework
from support.reference import distribution
from support.simulation import outcomes, unitary
from unit.frameworks.test_frameworks import *  # noqa: F403 - the tests that hold for every framework

from gateway.circuit import Circuit, Expression, parameter
from gateway.errors import CircuitInvalidError, RequestError, UnsupportedError
from gateway.frameworks import dump, parse

VIRTUAL = QubitReferenceType.VIRTUAL

SOME_UNITARY = np.array([[0.6, 0.8j], [0.8j, 0.6]]) @ np.diag([1, np.exp(0.7j)]) * np.exp(0.2j)

OF_TWO_QUBITS = np.kron(SOME_UNITARY, SOME_UNITARY.T) @ np.diag(np.exp(1j * np.arange(4)))


def matrix(circuit: BraketCircuit, num_qubits: int) -> np.ndarray:
    """Return the matrix Braket itself gives, turned around: its qubit 0 is the most significant."""
    padded = BraketCircuit()
    for qubit in range(num_qubits):
        padded.i(qubit)
    tensor = padded.add_circuit(circuit).to_unitary().reshape([2] * 2 * num_qubits)
    turned = [*reversed(range(num_qubits)), *reversed(range(num_qubits, 2 * num_qubits))]
    return tensor.transpose(turned).reshape(2**num_qubits, 2**num_qubits)


@pytest.fixture
def name() -> str:
    return "braket"


@pytest.fixture
def framework() -> Framework:
    return Framework(matrix, Gate.X, dynamic=False, conditional_measurement=False)


# ---------------------------------------------------------------------------- where Braket has less than a circuit


@pytest.mark.parametrize(
    ("circuit", "kept"),
    [
        (Circuit(3, 3).x(0).measure(0, 2).measure(1, 0).measure(2, 1), [0, 1, 2]),
        (Circuit(4, 2).x(2).measure(2, 0).measure(0, 1), [0, 1]),
        (Circuit(12, 12).x(11).measure_all(), list(range(12))),
        (Circuit(12, 12).x(3).measure(3, 11).measure(10, 2).measure(2, 10), [2, 10, 11]),
        (Circuit(3, 5).x(1).measure(1, 3), [3]),
        (Circuit(5).x(0), []),
        (Circuit(2, 2).x(0).barrier().measure_all(), [0, 1]),
    ],
    ids=["permuted", "idle qubits", "12 in order", "out of order with gaps", "a gap", "idle", "barrier"],
)
def test_measured_bits_and_idle_qubits_are_kept(circuit: Circuit, kept: list[int]):
    back = parse(dump(circuit, "braket"))
    assert (back.num_qubits, back.num_clbits) == (circuit.num_qubits, len(kept))
    (wanted,) = distribution(circuit)
    assert distribution(back) == pytest.approx({"".join(wanted[-1 - clbit] for clbit in reversed(kept)): 1})


@pytest.mark.parametrize(
    ("circuit", "what"),
    [
        (Circuit(1).reset(0), "operation 0: Braket has no reset"),
        (Circuit(1, 1).x(0, when={0: 1}), "operation 0: Braket has no x under a condition"),
        (Circuit(1, 1).measure(0, 0).x(0), "operation 1: Braket has no x after a measurement of its qubit"),
        (Circuit(1, 2).measure(0, 0).measure(0, 1), "operation 1: Braket has no measure after a measurement"),
        (Circuit(2, 1).measure(0, 0).measure(1, 0), "operation 1: Braket has no second measurement into a clbit"),
        (Circuit(1, 1).measure(0, 0).set([0], 1), r"operation 1 \(set\(1\)  -> 0\): Braket cannot express it"),
        (
            Circuit(1, 1).x(0).while_({0: 0}).x(0).measure(0, 0).end(),
            r"operation 1 \(while \): Braket cannot express it",
        ),
    ],
)
def test_what_braket_does_not_have_is_refused_by_name_and_place(circuit: Circuit, what: str):
    with pytest.raises(UnsupportedError, match=what):
        dump(circuit, "braket")


# ---------------------------------------------------------------------------- gates

GATES = [
    Gate.GPi(0.3), Gate.GPi2(0.3), Gate.PRx(0.3, 0.4), Gate.XY(0.3), Gate.PSwap(0.3), Gate.MS(0.1, 0.2, 0.3),
    Gate.CPhaseShift00(0.3), Gate.CPhaseShift01(0.3), Gate.CPhaseShift10(0.3), Gate.CV(), Gate.ECR(), Gate.ISwap(),
    Gate.U(0.1, 0.2, 0.3), Gate.V(), Gate.Vi(), Gate.XX(5.0), Gate.YY(-5.0), Gate.CSwap(), Gate.Unitary(SOME_UNITARY),
    Gate.Unitary(np.kron(SOME_UNITARY, OF_TWO_QUBITS)), Gate.Unitary(OF_TWO_QUBITS),
]  # fmt: skip


@pytest.mark.parametrize("gate", GATES, ids=lambda gate: gate.name)
def test_a_gate_keeps_its_matrix_and_its_phase(gate):
    targets = list(range(gate.qubit_count))[::-1]
    circuit = BraketCircuit().add_instruction(Instruction(gate, targets))
    np.testing.assert_allclose(unitary(parse(circuit)), matrix(circuit, gate.qubit_count), atol=1e-9)


@pytest.mark.parametrize(
    ("gate", "options"),
    [
        (Gate.X(), {"control": [1, 2], "control_state": [0, 0]}),
        (Gate.Rx(0.3), {"control": [3, 1, 2], "control_state": "101"}),
        (Gate.GPhase(0.3), {"control": [0, 1]}),
        (Gate.X(), {"power": 0.5}),
        (Gate.S(), {"power": -1}),
        (Gate.T(), {"power": 3}),
        (Gate.Ry(0.3), {"power": -1.5, "control": [2]}),
        (Gate.U(0.1, 0.2, 0.3), {"power": 0.25, "control": [1], "control_state": [0]}),
        (Gate.ISwap(), {"power": 0.5}),
        (Gate.GPi(0.3), {"power": 2, "control": [1, 2]}),
    ],
    ids=str,
)
def test_powers_and_controls_are_kept(gate, options):
    targets = [[], [0], [0, 3]][gate.qubit_count]
    circuit = BraketCircuit().add_instruction(Instruction(gate, targets, **options))
    for qubit in range(4):
        circuit.i(qubit)
    np.testing.assert_allclose(unitary(parse(circuit)), matrix(circuit, 4), atol=1e-9)


@pytest.mark.parametrize("ones", [[], [1], [2], [1, 2]])
def test_a_control_that_has_to_be_0_is_the_one_braket_runs(ones: list[int]):
    """Braket's ``to_unitary`` of 1.127.5 takes the states of the controls the other way round than its simulator."""
    circuit = BraketCircuit().i(0).i(1).i(2)
    for qubit in ones:
        circuit.x(qubit)
    circuit.x(0, control=[1, 2], control_state=[0, 1]).measure([0, 1, 2])
    (found,) = LocalSimulator().run(circuit, shots=1).result().measurement_counts
    assert distribution(parse(circuit)) == pytest.approx({found[::-1]: 1})


def test_gates_of_braket_stay_the_same_gates_there_and_back():
    circuit = BraketCircuit().gpi(0, 0.1).gpi2(1, 0.2).ms(0, 1, 0.1, 0.2, 0.3).prx(0, 0.3, 0.4).xy(0, 1, 0.5)
    circuit.pswap(0, 1, 0.6).cphaseshift00(0, 1, 0.7).cphaseshift01(0, 1, 0.8).cphaseshift10(0, 1, 0.9)
    assert dump(parse(circuit), "braket") == circuit


# ---------------------------------------------------------------------------- parameters


def with_angles(theta: FreeParameterExpression | float, phi: FreeParameterExpression | float) -> BraketCircuit:
    circuit = BraketCircuit().rx(0, theta).ry(1, 2 * phi - theta / 3 + 1).xy(0, 1, theta**2)
    return circuit.rz(0, theta, control=1).x(0, control=1, power=2)


def test_free_parameters_stay_parameters_there_and_back():
    found = parse(with_angles(FreeParameter("theta"), FreeParameter("phi[1]")))
    assert set(found.parameters) == {"theta", "phi[1]"}
    values = {"theta": 0.3, "phi[1]": -0.7}
    wanted = matrix(with_angles(0.3, -0.7), 2)
    np.testing.assert_allclose(unitary(found.bind(values)), wanted, atol=1e-9)
    back = dump(found, "braket")
    assert {parameter.name for parameter in back.parameters} == values.keys()
    np.testing.assert_allclose(matrix(back.make_bound_circuit(values), 2), wanted, atol=1e-9)


def test_functions_of_a_parameter_go_out_to_braket():
    circuit = Circuit(1).rx(Expression("sin", (parameter("t"),)), 0).rz(parameter("t") / 2, 0)
    bound = dump(circuit, "braket").make_bound_circuit({"t": 0.4})
    np.testing.assert_allclose(matrix(bound, 1), unitary(circuit.bind(t=0.4)), atol=1e-9)


def test_a_free_parameter_of_any_name_gets_one_that_parameters_can_have():
    assert parse(BraketCircuit().rx(0, FreeParameter("a b"))) == Circuit(1).rx(parameter("a_b"), 0)


def test_a_parameter_that_braket_cannot_name_is_refused():
    with pytest.raises(UnsupportedError, match="Braket has no parameter q") as caught:
        dump(Circuit(1).rx(parameter("q"), 0), "braket")
    assert caught.value.feature == "parameter q"


def test_a_power_that_is_not_whole_needs_a_value():
    circuit = BraketCircuit().rx(0, FreeParameter("t"), power=0.5)
    with pytest.raises(UnsupportedError, match="operation 0: Rx: a power that is not whole needs values"):
        parse(circuit)


# ---------------------------------------------------------------------------- programs, boxes and feed-forward


def test_a_program_is_read_as_the_text_that_it_is():
    circuit = BraketCircuit().h(0).v(1).si(0).gpi(0, 0.2).cphaseshift10(0, 1, 0.3).ms(0, 1, 0.1, 0.2, 0.3).yy(0, 1, 0.4)
    circuit.ti(1).vi(0).ccnot(0, 1, 2).cv(0, 1).pswap(1, 2, 0.3).measure([0, 1, 2])
    program = circuit.to_ir("OPENQASM", serialization_properties=OpenQASMSerializationProperties(VIRTUAL))
    assert distribution(parse(program)) == pytest.approx(distribution(parse(circuit)))


def test_inputs_of_a_program_have_the_values_it_gives():
    text = "OPENQASM 3.0; input float theta; bit[1] b; qubit[1] q; rx(theta) q[0]; b[0] = measure q[0];"
    assert distribution(parse(Program(source=text, inputs={"theta": pi}))) == pytest.approx({"1": 1})
    with pytest.raises(CircuitInvalidError, match="an input of the program has no number"):
        parse(Program(source=text, inputs={"theta": [0.1, 0.2]}))


def test_a_text_that_braket_writes_for_a_machine_is_read():
    circuit = BraketCircuit().h(0).add_verbatim_box(BraketCircuit().v(0).cnot(0, 1)).measure([0, 1])
    found = parse(circuit.to_ir("OPENQASM"))
    assert distribution(found) == pytest.approx(distribution(parse(circuit)))


def test_a_verbatim_box_is_what_is_in_it():
    found = parse(BraketCircuit().x(0).add_verbatim_box(BraketCircuit().h(0).cnot(0, 1)))
    assert found == Circuit(2).x(0).h(0).cx(0, 1)
    assert found.notes == ("a verbatim box has no effect here",)


@pytest.mark.filterwarnings("ignore:.*experimental:UserWarning:braket")
def test_feedback_is_a_hidden_clbit():
    with EnableExperimentalCapability():
        circuit = BraketCircuit().h(0).measure_ff(0, 7).cc_prx(1, pi, 0.0, 7).cc_prx(0, pi, 0.0, 7).measure([0, 1])
    found = parse(circuit)
    assert (found.num_clbits, found.num_hidden) == (2, 1)
    assert outcomes(found) == pytest.approx({"00": 0.5, "10": 0.5})


@pytest.mark.filterwarnings("ignore:.*experimental:UserWarning:braket")
def test_feedback_of_nothing_is_an_error():
    with EnableExperimentalCapability():
        circuit = BraketCircuit().cc_prx(1, pi, 0.0, 7)
    with pytest.raises(CircuitInvalidError, match="operation 0: CCPRx depends on a measurement that has not happened"):
        parse(circuit)


def test_a_hidden_outcome_that_nothing_reads_is_left_out():
    circuit = Circuit(2, 1, num_hidden=1).x(0).measure(0, 0).measure(1, 1)
    assert [each.operator.name for each in dump(circuit, "braket").instructions] == ["X", "I", "Measure"]
    assert parse(dump(circuit, "braket")) == Circuit(2, 1).x(0).measure(0, 0)


# ---------------------------------------------------------------------------- bits


def test_measurements_are_numbered_in_their_order():
    circuit = BraketCircuit().h(0).cnot(0, 3).measure(3).measure([0])
    assert parse(circuit) == Circuit(4, 2).h(0).cx(0, 3).measure(3, 0).measure(0, 1)


def test_measurements_of_several_calls_have_a_clbit_each():
    circuit = BraketCircuit().x(0).x(1).x(2).x(3).measure([0, 1]).measure([3, 2])
    assert [op.clbits[0] for op in parse(circuit).operations[4:]] == [0, 1, 2, 3]
    assert [op.qubits[0] for op in parse(circuit).operations[4:]] == [0, 1, 3, 2]


def test_a_circuit_that_measures_nothing_stays_one():
    assert parse(BraketCircuit().h(0).cnot(0, 1)) == Circuit(2).h(0).cx(0, 1)


def test_a_barrier_on_everything_is_one_on_all_qubits():
    assert parse(BraketCircuit().x(0).x(1).barrier()) == Circuit(2).x(0).x(1).barrier()


def test_braket_runs_a_dumped_circuit_with_the_first_clbit_leftmost():
    circuit = Circuit(4, 3).x(2).cx(2, 0).measure(2, 1).measure(1, 0).measure(0, 2)
    result = LocalSimulator().run(dump(circuit, "braket"), shots=20).result()
    assert result.measurement_counts == {"011": 20}
    assert distribution(circuit) == pytest.approx({"110": 1})


# ---------------------------------------------------------------------------- what is refused


def with_noise() -> BraketCircuit:
    return BraketCircuit().x(0).depolarizing(0, 0.1)


def with_large_matrix() -> BraketCircuit:
    return BraketCircuit().x(0).unitary(matrix=np.eye(128), targets=range(7))


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (with_noise, "Depolarizing: it is noise"),
        (with_large_matrix, "Unitary: a matrix of 7 qubits; at most 6"),
    ],
)
def test_what_a_circuit_cannot_say_is_refused_by_name_and_place(make, what: str):
    with pytest.raises(UnsupportedError, match=f"operation 1: {what}") as caught:
        parse(make())
    assert caught.value.feature == what.partition(":")[0]


@pytest.mark.parametrize("kind", ["probability", "state_vector", "expectation"])
def test_result_types_are_refused_by_name(kind: str):
    circuit = BraketCircuit().h(0)
    if kind == "expectation":
        circuit.expectation(Observable.Z(), target=0)
    else:
        getattr(circuit, kind)()
    with pytest.raises(UnsupportedError, match=r"result type \w+: a circuit ends with measured bits"):
        parse(circuit)


def test_what_is_no_circuit_is_refused():
    with pytest.raises(RequestError, match=r"a braket\.circuits\.Circuit or an OpenQASM Program, not a X"):
        parse(Gate.X())
