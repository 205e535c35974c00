from __future__ import annotations

import math

import numpy as np
import pytest
from support.reference import unitary

from gateway.circuit import Circuit, Operation
from gateway.circuit.gates import GATES
from gateway.compare.diagnosis.gate_mutants import gate_mutants

ANGLES = (0.4, 1.3, -0.8, 2.1)


def one_gate(name: str) -> Circuit:
    gate = GATES[name]
    return Circuit(gate.num_qubits).gate(name, range(gate.num_qubits), ANGLES[: gate.num_params])


def mutants_of(circuit: Circuit, name: str) -> dict[str, Circuit]:
    """Return detail -> circuit of the mutants of one name."""
    return {mutant.detail: mutant.circuit for mutant in gate_mutants(circuit) if mutant.name == name}


def only(circuit: Circuit, name: str) -> Circuit:
    (mutant,) = mutants_of(circuit, name).values()
    return mutant


def assert_equal_up_to_phase(left: np.ndarray, right: np.ndarray) -> None:
    assert abs(np.vdot(left, right)) == pytest.approx(len(left))


def test_all_gates_of_a_name_are_dropped_and_no_others():
    circuit = Circuit(2).h(0).x(0).h(1).cx(0, 1)
    assert mutants_of(circuit, "gate-dropped:h") == {"the circuit with every h left out": Circuit(2).x(0).cx(0, 1)}


def test_two_angles_are_exchanged():
    found = mutants_of(Circuit(1).u3(0.4, 1.3, -0.8, 0).x(0), "angles-exchanged:u3")
    assert [mutant.operations[0].params for mutant in found.values()] == [
        (1.3, 0.4, -0.8),
        (-0.8, 1.3, 0.4),
        (0.4, -0.8, 1.3),
    ]
    assert "the circuit with the first and the third angle of every u3 exchanged" in found
    assert not mutants_of(Circuit(1).rz(0.4, 0), "angles-exchanged:rz")


def test_conditions_and_the_place_of_other_operations_are_kept():
    circuit = Circuit(1, 1).measure(0, 0).rz(0.5, 0, when={0: 1}).barrier(0).rz(0.25, 0).measure(0, 0)
    expected = Circuit(1, 1).measure(0, 0).rz(-0.5, 0, when={0: 1}).barrier(0).rz(-0.25, 0).measure(0, 0)
    assert only(circuit, "angle-negated:rz") == expected


def test_the_words_for_a_gate_of_one_angle_are_about_turning():
    details = {mutant.detail for mutant in gate_mutants(Circuit(1).rz(0.5, 0))}
    assert "the circuit with every rz turned the other way" in details
    assert "the circuit with every rz turned half as far" in details
    assert "the circuit with the angle of every rz taken for degrees" in details


@pytest.mark.parametrize(
    ("name", "angles"),
    [
        ("angle-halved", [0.25, -0.25]),
        ("angle-doubled", [1.0, -1.0]),
        ("angle-in-degrees", [math.radians(0.5), math.degrees(0.5)]),
        ("angle-in-half-turns", [0.5 * math.pi, 0.5 / math.pi]),
        ("angle-modulo", [0.5, 0.5]),
    ],
)
def test_one_angle_is_misread(name, angles):
    found = mutants_of(Circuit(1).rx(0.5, 0), f"{name}:rx")
    assert [mutant.operations for mutant in found.values()] == [[Operation("rx", (0,), (angle,))] for angle in angles]


def test_angles_beyond_a_turn_are_taken_modulo_a_turn():
    circuit = Circuit(2).crz(-1.0, 0, 1)
    angles = [mutant.operations[0].params[0] for mutant in mutants_of(circuit, "angle-modulo:crz").values()]
    assert angles == pytest.approx([2 * math.pi - 1, -1])


def test_of_several_angles_all_one_or_two_are_negated():
    found = mutants_of(one_gate("u"), "angle-negated:u")
    assert {detail: mutant.operations[0].params for detail, mutant in found.items()} == {
        "the circuit with all angles of every u negated": (-0.4, -1.3, 0.8),
        "the circuit with the first angle of every u negated": (-0.4, 1.3, -0.8),
        "the circuit with the second angle of every u negated": (0.4, -1.3, -0.8),
        "the circuit with the third angle of every u negated": (0.4, 1.3, 0.8),
        "the circuit with the first and the second angle of every u negated": (-0.4, -1.3, -0.8),
        "the circuit with the first and the third angle of every u negated": (-0.4, 1.3, 0.8),
        "the circuit with the second and the third angle of every u negated": (0.4, -1.3, 0.8),
    }


@pytest.mark.parametrize("name", [name for name, gate in GATES.items() if gate.num_params != 1 and name != "id"])
def test_the_inverse_is_the_adjoint_of_the_unitary(name):
    circuit = one_gate(name)
    assert np.allclose(unitary(only(circuit, f"inverse-taken:{name}")), unitary(circuit).conj().T)


def test_a_gate_of_one_angle_has_no_inverse_of_its_own():
    assert not mutants_of(Circuit(1).rz(0.5, 0), "inverse-taken:rz")


def test_operands_are_exchanged_with_the_first_or_the_last():
    found = mutants_of(Circuit(3).cx(2, 1).cx(0, 1), "operands-exchanged:cx")
    assert found["the circuit with the two qubits of every cx exchanged"] == Circuit(3).cx(1, 2).cx(1, 0)
    assert found["the circuit with the qubits of every cx in ascending order"] == Circuit(3).cx(1, 2).cx(0, 1)
    orders = [mutant.operations[0].qubits for mutant in mutants_of(one_gate("c3x"), "operands-exchanged:c3x").values()]
    assert orders == [(1, 0, 2, 3), (2, 1, 0, 3), (3, 1, 2, 0), (0, 3, 2, 1), (0, 1, 3, 2), (0, 1, 2, 3)]


@pytest.mark.parametrize(
    ("name", "rotation"),
    [
        ("cp", lambda: Circuit(2).crz(0.4, 0, 1)),
        ("cu1", lambda: Circuit(2).crz(0.4, 0, 1)),
        ("cs", lambda: Circuit(2).crz(math.pi / 2, 0, 1)),
        ("csdg", lambda: Circuit(2).crz(-math.pi / 2, 0, 1)),
        ("cz", lambda: Circuit(2).crz(math.pi, 0, 1)),
        ("cx", lambda: Circuit(2).crx(math.pi, 0, 1)),
        ("CX", lambda: Circuit(2).crx(math.pi, 0, 1)),
        ("cy", lambda: Circuit(2).cry(math.pi, 0, 1)),
        ("csx", lambda: Circuit(2).crx(math.pi / 2, 0, 1)),
        ("cu3", lambda: Circuit(2).p(-0.25, 0).cu3(0.4, 1.3, -0.8, 0, 1)),
        ("iswap", lambda: Circuit(2).swap(0, 1)),
        ("rccx", lambda: Circuit(3).ccx(0, 1, 2)),
        ("rc3x", lambda: Circuit(4).c3x(0, 1, 2, 3)),
        ("xx_plus_yy", lambda: Circuit(2).xx_plus_yy(0.4, 0, 0, 1)),
        ("xx_minus_yy", lambda: Circuit(2).xx_minus_yy(0.4, 0, 0, 1)),
    ],
)
def test_a_gate_without_its_phase_is_a_rotation(name, rotation):
    mutant = only(one_gate(name), f"phase-lost:{name}")
    assert_equal_up_to_phase(unitary(mutant), unitary(rotation()))


def test_cu_loses_one_phase_or_both():
    both, one = (unitary(mutant) for mutant in mutants_of(one_gate("cu"), "phase-lost:cu").values())
    assert_equal_up_to_phase(one, unitary(Circuit(2).cu3(0.4, 1.3, -0.8, 0, 1)))
    assert_equal_up_to_phase(both, unitary(Circuit(2).cu3(0.4, 1.3, -0.8, 0, 1).p(-0.25, 0)))


@pytest.mark.parametrize("name", ["ccx", "ccz", "c3x", "c4x", "c3sqrtx", "ch"])
def test_what_is_controlled_without_phase_has_determinant_1(name):
    matrix = unitary(only(one_gate(name), f"phase-lost:{name}"))
    controls = (1 << GATES[name].num_qubits - 1) - 1
    block = matrix[np.ix_([controls, len(matrix) - 1], [controls, len(matrix) - 1])]
    assert np.linalg.det(block) == pytest.approx(1)


def test_gates_without_effect_have_no_mutants():
    circuit = Circuit(1, 1).id(0).u0(0.3, 0).gphase(0.5).barrier(0).reset(0).measure(0, 0)
    assert not list(gate_mutants(circuit))


def test_every_mutant_is_a_valid_circuit():
    for name in GATES:
        for mutant in gate_mutants(one_gate(name)):
            mutant.circuit.validate()
            assert mutant.name.endswith(f":{name}")
