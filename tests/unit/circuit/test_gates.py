from __future__ import annotations

import math

import numpy as np
import pytest
from qiskit.circuit.library import get_standard_gate_name_mapping
from qiskit.circuit.library import standard_gates as qiskit_gates
from qiskit.quantum_info import Operator
from support.simulation import steps_unitary

from gateway.circuit.gates import ALIASES, GATES, Gate
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
NOT_IN_QISKIT = {"u0"}


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


def test_a_row_knows_how_many_qubits_and_parameters_it_takes():
    GATES["cu3"].check(2, 3)
    with pytest.raises(CircuitInvalidError, match="cu3 acts on 2 qubits, not 1"):
        GATES["cu3"].check(1, 3)
    with pytest.raises(CircuitInvalidError, match="rz takes 1 parameter, not 0"):
        GATES["rz"].check(1, 0)
