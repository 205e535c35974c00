from __future__ import annotations

import math

import numpy as np
import pytest
from pytket.circuit import Circuit as TketCircuit
from pytket.circuit import OpType
from qiskit.circuit.library import get_standard_gate_name_mapping
from qiskit.circuit.library import standard_gates as qiskit_gates
from qiskit.quantum_info import Operator
from scipy.linalg import expm
from support.simulation import steps_unitary

from gateway.circuit.gates import ALIASES, GATES, MANY_CONTROLLED, Gate, find
from gateway.errors import CircuitInvalidError

ANGLES = [0.0, 0.3, -1.7, math.pi, -math.pi / 2, 7.1, 2 * math.pi]
EVERY_GATE = pytest.mark.parametrize("gate", GATES.values(), ids=GATES)

QISKIT = {
    **{name: type(gate) for name, gate in get_standard_gate_name_mapping().items()},
    "u1": qiskit_gates.U1Gate,
    "u2": qiskit_gates.U2Gate,
    "u3": qiskit_gates.U3Gate,
    "cu1": qiskit_gates.CU1Gate,
    "cu3": qiskit_gates.CU3Gate,
    "U": qiskit_gates.UGate,
    "CX": qiskit_gates.CXGate,
    "rc3x": qiskit_gates.RC3XGate,
    "c3x": qiskit_gates.C3XGate,
    "c3sqrtx": qiskit_gates.C3SXGate,
    "c4x": qiskit_gates.C4XGate,
    "gphase": qiskit_gates.GlobalPhaseGate,
    "ms": qiskit_gates.RXXGate,
}
PYTKET = {
    "csxdg": (OpType.CSXdg, ()),
    "xy": (OpType.ISWAP, (1,)),
    "zzmax": (OpType.ZZMax, ()),
    "rxxyyzz": (OpType.TK2, (1, 1, 1)),
    "gpi2": (OpType.PhasedX, (0, 1)),
    "r": (OpType.PhasedX, (1, 1)),
}
"""Gate -> pytket's gate, and whether each of its angles, in half turns, is one of the row or 1/2."""

BRAKET = {
    "gpi": lambda phi: [[0, np.exp(-1j * phi)], [np.exp(1j * phi), 0]],
    "gpi2": lambda phi: np.sqrt(0.5) * np.array([[1, -1j * np.exp(-1j * phi)], [-1j * np.exp(1j * phi), 1]]),
    "cphaseshift00": lambda phi: np.diag([np.exp(1j * phi), 1, 1, 1]),
    "cphaseshift01": lambda phi: np.diag([1, np.exp(1j * phi), 1, 1]),
    "cphaseshift10": lambda phi: np.diag([1, 1, np.exp(1j * phi), 1]),
    "pswap": lambda phi: [[1, 0, 0, 0], [0, 0, np.exp(1j * phi), 0], [0, np.exp(1j * phi), 0, 0], [0, 0, 0, 1]],
    "ms3": lambda phi0, phi1, theta: expm(-0.5j * theta * np.kron(BRAKET["gpi"](phi0), BRAKET["gpi"](phi1))),
}
"""Gate -> its matrix in Braket's documentation, where the first qubit is the most significant."""

NOT_IN_QISKIT = {"u0"} | (PYTKET.keys() | BRAKET.keys()) - {"r"}


def angles(gate: Gate, turn: int) -> list[float]:
    return [ANGLES[(turn + 3 * place) % len(ANGLES)] for place in range(gate.num_params)]


@EVERY_GATE
def test_every_row_is_unitary_and_as_large_as_its_qubits(gate):
    matrix = np.array(gate.unitary(*angles(gate, 1)))
    assert matrix.shape == (2**gate.num_qubits, 2**gate.num_qubits)
    np.testing.assert_allclose(matrix @ matrix.conj().T, np.eye(len(matrix)), atol=1e-12)


@EVERY_GATE
@pytest.mark.parametrize("turn", range(len(ANGLES)))
def test_every_definition_equals_its_unitary_with_its_phase(gate, turn):
    if gate.definition is None:
        assert gate.name in {"u", "cx", "gphase"}
        return
    values = angles(gate, turn)
    built = steps_unitary(gate.num_qubits, gate.definition(*values))
    np.testing.assert_allclose(built, np.array(gate.unitary(*values)), atol=1e-12)


@EVERY_GATE
@pytest.mark.parametrize("turn", range(len(ANGLES)))
def test_every_unitary_is_the_one_of_qiskit(gate, turn):
    if gate.name in NOT_IN_QISKIT:
        assert gate.name not in QISKIT
        return
    values = angles(gate, turn)
    theirs = Operator(QISKIT[gate.name](*values)).data
    np.testing.assert_allclose(np.array(gate.unitary(*values)), theirs, atol=1e-12)


@pytest.mark.parametrize("name", PYTKET)
@pytest.mark.parametrize("turn", range(len(ANGLES)))
def test_gate_of_quantinuum_is_the_one_of_pytket(name, turn):
    values = angles(GATES[name], turn)
    kind, places = PYTKET[name]
    half_turns = iter(value / math.pi for value in values)
    circuit = TketCircuit(GATES[name].num_qubits)
    circuit.add_gate(kind, [next(half_turns) if place else 0.5 for place in places], range(GATES[name].num_qubits))
    np.testing.assert_allclose(np.array(GATES[name].unitary(*values)), reversed_bits(circuit.get_unitary()), atol=1e-12)


@pytest.mark.parametrize("name", BRAKET)
@pytest.mark.parametrize("turn", range(len(ANGLES)))
def test_gate_of_braket_is_the_one_of_its_documentation(name, turn):
    values = angles(GATES[name], turn)
    theirs = reversed_bits(np.array(BRAKET[name](*values)))
    np.testing.assert_allclose(np.array(GATES[name].unitary(*values)), theirs, atol=1e-12)


def reversed_bits(matrix: np.ndarray) -> np.ndarray:
    """Return a matrix whose first qubit was the most significant with the first one least significant."""
    n = len(matrix).bit_length() - 1
    axes = [*range(n)][::-1]
    return matrix.reshape([2] * 2 * n).transpose(axes + [n + axis for axis in axes]).reshape(matrix.shape)


def test_definitions_end_at_u_cx_and_gphase():
    for gate in GATES.values():
        for _ in range(20):
            if gate.definition is None:
                break
            steps = gate.definition(*angles(gate, 0))
            assert all(name in GATES for name, _, _ in steps)
            if not steps:
                break
            gate = GATES[max(steps, key=lambda step: list(GATES).index(step[0]))[0]]  # noqa: PLW2901 - going down
        else:
            pytest.fail(f"{gate.name} never ends")


def test_every_alias_leads_to_a_row_and_hides_none():
    assert set(ALIASES.values()) <= set(GATES)
    assert not set(ALIASES) & set(GATES)
    assert set(MANY_CONTROLLED.values()) <= set(GATES)
    assert not set(MANY_CONTROLLED) & (set(GATES) | set(ALIASES))


def test_number_of_parameters_tells_gates_of_one_name_apart():
    assert find("ms", 1) is GATES["ms"]
    assert find("ms", 3) is GATES["ms3"]
    assert find("ms") is GATES["ms"]
    assert find("prx", 2) is GATES["r"]
    assert find("nothing", 0) is None


def test_a_row_knows_how_many_qubits_and_parameters_it_takes():
    GATES["cu3"].check(2, 3)
    with pytest.raises(CircuitInvalidError, match="cu3 acts on 2 qubits, not 1"):
        GATES["cu3"].check(1, 3)
    with pytest.raises(CircuitInvalidError, match="rz takes 1 parameter, not 0"):
        GATES["rz"].check(1, 0)
