"""The traps of Qulacs' circuits."""

from __future__ import annotations

import numpy as np
import pytest
from qulacs import ParametricQuantumCircuit, QuantumCircuit, QuantumState, gate
from support.frameworks import FRAMEWORKS
from support.simulation import unitary

from gateway.circuit import Circuit, parameter
from gateway.errors import CircuitInvalidError, UnsupportedError
from gateway.frameworks import parse


def same(circuit: QuantumCircuit) -> Circuit:
    """Return the shared circuit after comparing the two matrices."""
    found = parse(circuit)
    wanted = FRAMEWORKS["qulacs"].unitary(circuit, circuit.get_qubit_count())
    np.testing.assert_allclose(unitary(found), wanted, atol=1e-7)
    return found


def with_control(made: object, *controls: tuple[int, int]) -> object:
    for qubit, value in controls:
        made.add_control_qubit(qubit, value)
    return made


GATES = {
    "rotation x": gate.RX(1, 0.7),
    "rotation y": gate.RY(1, -5.0),
    "rotation z": gate.RZ(1, 0.7),
    "our rotation x": gate.RotX(1, 0.7),
    "inverse rotation z": gate.RotInvZ(1, 0.7),
    "parametric x": gate.ParametricRX(0, 3.9),
    "Pauli rotation": gate.PauliRotation([2, 0, 1], [1, 2, 3], 0.4),
    "Pauli rotation with identities": gate.PauliRotation([2, 0], [0, 2], 0.4),
    "rotation of the identity": gate.PauliRotation([2], [0], 0.4),
    "parametric Pauli rotation": gate.ParametricPauliRotation([0, 2], [3, 2], 0.4),
    "Pauli": gate.Pauli([0, 2], [1, 2]),
    "U3": gate.U3(0, 0.1, 0.2, 0.3),
    "square root of y": gate.sqrtY(0),
    "the other square root of y": gate.sqrtYdag(0),
    "fused swap": gate.FusedSWAP(0, 2, 1),
    "toffoli": gate.TOFFOLI(2, 0, 1),
    "fredkin": gate.FREDKIN(2, 0, 1),
    "random": gate.RandomUnitary([2, 0], 3),
    "dense on three": gate.RandomUnitary([1, 2, 0], 4),
    "diagonal": gate.DiagonalMatrix([2, 0], np.exp(1j * np.array([0.1, 0.2, 0.3, 0.4]))),
    "boolean": gate.ReversibleBoolean([0, 1], lambda value, size: (value + 1) % size),
    "merged": gate.merge(gate.H(0), gate.CNOT(0, 2)),
    "controlled": with_control(gate.to_matrix_gate(gate.RX(0, 0.4)), (2, 1), (1, 0)),
    "controlled dense": with_control(gate.RandomUnitary([2, 0], 5), (1, 0)),
    "controlled phase": with_control(gate.DenseMatrix(0, np.eye(2) * 1j), (1, 1)),
}


@pytest.mark.parametrize("name", GATES)
def test_gates_are_exact_with_their_phase(name: str):
    circuit = QuantumCircuit(3)
    circuit.add_gate(GATES[name])
    same(circuit)


def test_rotations_turn_the_other_way():
    circuit = QuantumCircuit(1)
    circuit.add_RX_gate(0, 0.5)
    circuit.add_RotX_gate(0, 0.5)
    found = parse(circuit)
    assert [op.name for op in found.operations] == ["rx", "rx"]
    assert [op.params[0] for op in found.operations] == pytest.approx([-0.5, 0.5])


def test_a_parametric_circuit_stands_for_its_values_now():
    circuit = ParametricQuantumCircuit(2)
    circuit.add_parametric_RY_gate(0, 0.3)
    circuit.add_parametric_multi_Pauli_rotation_gate([0, 1], [1, 3], 0.4)
    before = same(circuit)
    circuit.set_parameter(0, 1.3)
    assert same(circuit) != before


def test_measurements_write_to_their_address():
    circuit = QuantumCircuit(3)
    circuit.add_X_gate(2)
    circuit.add_gate(gate.Measurement(2, 0))
    circuit.add_gate(gate.Measurement(0, 3))
    assert parse(circuit) == Circuit(3, 4).x(2).measure(2, 0).measure(0, 3)


REFUSED = {
    "Probabilistic": gate.DepolarizingNoise(0, 0.1),
    "CPTP": gate.AmplitudeDampingNoise(0, 0.1),
    "Projection-0": gate.P0(0),
    "Adaptive": gate.Adaptive(gate.X(0), lambda register: register[0] == 1),
    "Reflection": gate.StateReflection(QuantumState(1)),
    "DenseMatrix": gate.add(gate.X(0), gate.Y(0)),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_unitary_gate_is_refused_by_name(name: str):
    circuit = QuantumCircuit(1)
    circuit.add_X_gate(0)
    circuit.add_gate(REFUSED[name])
    with pytest.raises(UnsupportedError, match=rf"^operation 1: {name}: ") as caught:
        parse(circuit)
    assert caught.value.feature == name


def test_a_measurement_of_a_product_is_refused():
    circuit = QuantumCircuit(2)
    circuit.add_gate(gate.MultiQubitPauliMeasurement([0, 1], [3, 3], 0))
    with pytest.raises(UnsupportedError, match="this map is no measurement of one qubit"):
        parse(circuit)


def test_a_matrix_of_many_qubits_is_refused():
    circuit = QuantumCircuit(7)
    circuit.add_gate(gate.RandomUnitary(list(range(7)), 1))
    with pytest.raises(UnsupportedError, match="operation 0: DenseMatrix: a matrix of 7 qubits; at most 6"):
        parse(circuit)


@pytest.mark.parametrize(
    ("circuit", "name"),
    [
        (Circuit(1).x(0).reset(0), "reset"),
        (Circuit(1, 1).x(0).x(0, when={0: 1}), "condition"),
    ],
)
def test_what_qulacs_lacks_is_refused_by_name(circuit: Circuit, name: str):
    with pytest.raises(UnsupportedError, match=f"^operation 1: {name}: "):
        circuit.to("qulacs")


def test_a_dumped_circuit_measures_in_the_middle():
    circuit = Circuit(2, 2).x(0).measure(0, 1).x(0).measure(0, 0)
    native = circuit.to("qulacs")
    state = QuantumState(2)
    native.update_quantum_state(state)
    assert [state.get_classical_value(clbit) for clbit in range(2)] == [0, 1]
    assert parse(native) == circuit


@pytest.mark.parametrize(
    ("circuit", "match"),
    [
        (Circuit(1, 1).set([0], 1), "operation 0: set: "),
        (Circuit(1, 1).while_({0: 0}).h(0).measure(0, 0).end(), "operation 0: while: "),
        (Circuit(1, 0, num_hidden=1).h(0).measure(0, 0), "operation 1: measure: Qulacs has no hidden clbits"),
    ],
)
def test_what_qulacs_does_not_have_is_refused_by_name(circuit: Circuit, match: str):
    with pytest.raises(UnsupportedError, match=match):
        circuit.to("qulacs")


def test_parameters_need_values():
    with pytest.raises(CircuitInvalidError, match="parameters have no value: a; bind them first"):
        Circuit(1).rx(parameter("a"), 0).to("qulacs")
