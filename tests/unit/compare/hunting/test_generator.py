from __future__ import annotations

import math
from itertools import pairwise

import pytest

from gateway.circuit.gates import GATES
from gateway.circuit.needs import needs
from gateway.compare.exact import distribution
from gateway.compare.hunting.generator import MOST_BRANCHINGS, PROFILES, random_circuit
from gateway.compare.hunting.scope import Scope
from gateway.enforcement import RunOptions, check_measured, refuse
from gateway.results import CLIFFORD, Capabilities, ResultType

COUNTS = RunOptions(ResultType.COUNTS)
ABILITIES = {
    "everything": Capabilities(result_types=tuple(ResultType)),
    "clifford": Capabilities(result_types=tuple(ResultType), gates=CLIFFORD),
    "few gates": Capabilities(
        result_types=tuple(ResultType),
        gates=("h", "cx", "rz"),
        mid_circuit_measurement=False,
        reset=False,
        classical_control=False,
        max_qubits=3,
    ),
    "permutations": Capabilities(
        result_types=tuple(ResultType), gates=("x", "cx"), mid_circuit_measurement=False, max_qubits=2
    ),
    "no gates": Capabilities(result_types=tuple(ResultType), gates=()),
}


def circuits(number: int = 150, scope: Scope | None = None, profile: str | None = None):
    return [random_circuit(seed, scope, profile) for seed in range(number)]


@pytest.mark.parametrize("ability", ABILITIES)
def test_every_circuit_is_taken_by_the_simulator_it_is_made_for(ability):
    able = ABILITIES[ability]
    for profile, circuit in circuits(scope=Scope.of(able)):
        circuit.validate()
        kind = ResultType.COUNTS if PROFILES[profile].measured else ResultType.STATEVECTOR
        options = RunOptions(kind)
        check_measured(needs(circuit), options, simulator="x")
        refuse(needs(circuit), able, options, simulator="x")


def test_the_same_seed_gives_the_same_circuit_and_another_one_another():
    assert circuits(40) == circuits(40)
    assert len({repr(circuit) for _, circuit in circuits(40)}) > 35


def test_all_gates_and_all_profiles_turn_up():
    drawn = circuits(600)
    assert {profile for profile, _ in drawn} == set(PROFILES)
    assert {op.name for _, circuit in drawn for op in circuit.operations} == {*GATES, "measure", "reset", "barrier"}


def test_a_simulator_of_clifford_gates_gets_their_angles_too():
    drawn = circuits(300, Scope.of(ABILITIES["clifford"]))
    angles = [angle for _, circuit in drawn for op in circuit.operations if op.name == "rz" for angle in op.params]
    assert angles
    assert all(math.isclose(angle % (math.pi / 2), 0, abs_tol=1e-9) for angle in angles if angle >= 0)


def test_circuits_are_small_enough_to_be_computed_at_once():
    for profile, circuit in circuits(300):
        if PROFILES[profile].measured:
            assert len(distribution(circuit).codes) <= 2**11
            assert needs(circuit).qubits <= 11
        else:
            assert circuit.num_qubits <= 8


def test_a_circuit_measures_and_resets_only_so_often_before_its_end():
    for _, circuit in circuits(200, profile="dynamic"):
        interrupting = [op for op in circuit.operations if op.name in {"measure", "reset"}]
        assert len(interrupting) <= MOST_BRANCHINGS + circuit.num_qubits + 1


def test_conditions_are_nested_unequal_wide_and_on_many_clbits():
    drawn = [circuit for name in ("nested-conditions", "many-clbits") for _, circuit in circuits(60, profile=name)]
    conditions = [op.condition for circuit in drawn for op in circuit.operations if op.condition]
    comparisons = [comparison for condition in conditions for comparison in condition]
    assert max(map(len, conditions)) >= 4
    assert {comparison.equal for comparison in comparisons} == {True, False}
    assert max(len(comparison.clbits) for comparison in comparisons) > 64
    assert any(sorted(comparison.clbits) != list(comparison.clbits) for comparison in comparisons)


def test_extreme_angles_are_zero_near_whole_turns_tiny_huge_and_of_either_sign():
    angles = {
        angle
        for _, circuit in circuits(200, profile="extreme-angles")
        for op in circuit.operations
        for angle in op.params
    }
    assert {0.0, math.pi, -2 * math.pi, 4 * math.pi, 1e6, -1e6, 1e-9} <= angles
    assert any(0 < abs(angle - math.pi) < 1e-12 for angle in angles)


def test_gates_act_on_their_qubits_in_every_order():
    orders = {
        tuple(sorted(range(3), key=op.qubits.__getitem__))
        for _, circuit in circuits(200, profile="operand-orders")
        for op in circuit.operations
        if op.name == "cswap"
    }
    assert len(orders) == 6


def test_measurements_permute_leave_out_overwrite_and_repeat():
    drawn = [circuit for _, circuit in circuits(200, profile="static")]
    measured = [
        [(op.qubits[0], op.clbits[0]) for op in circuit.operations if op.name == "measure"] for circuit in drawn
    ]
    assert any(pairs != sorted(pairs) for pairs in measured)
    assert any(len({clbit for _, clbit in pairs}) < len(pairs) for pairs in measured)
    assert any(len({qubit for qubit, _ in pairs}) < len(pairs) for pairs in measured)
    assert any(circuit.num_clbits > len(pairs) for circuit, pairs in zip(drawn, measured, strict=True))
    assert all(measured)


def test_gates_are_repeated_and_qubits_idle():
    repeated = [circuit for _, circuit in circuits(40, profile="repeated-gates")]
    neighbours = [pair for circuit in repeated for pair in pairwise(circuit.operations)]
    assert any(first == second for first, second in neighbours)
    idle = [circuit for _, circuit in circuits(40, profile="idle-qubits")]
    assert all(circuit.num_qubits - needs(circuit).qubits >= 3 for circuit in idle)
