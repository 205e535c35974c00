"""Simpler versions of a circuit are valid circuits, and simpler."""

from __future__ import annotations

import math
from random import Random

import pytest
from support.circuits import angles, random_dynamic_circuit

from gateway.circuit import Circuit, Comparison
from gateway.circuit.gates import GATES
from gateway.compare.reproducer import simplifying
from gateway.compare.reproducer.compacting import final_measurements, keep_only, num_operations
from gateway.compare.reproducer.isolating import isolated
from gateway.compare.reproducer.weighing import measure_of, total_weight


def one_of_each_gate() -> Circuit:
    random, circuit = Random(1), Circuit(5)
    for gate in GATES.values():
        circuit.gate(gate.name, random.sample(range(5), gate.num_qubits), angles(random, gate))
    return circuit.measure_all()


def texts(circuits) -> list[str]:
    return [" ".join(map(str, circuit.operations)) for circuit in circuits]


@pytest.mark.parametrize("seed", range(5))
def test_all_versions_of_a_dynamic_circuit_are_valid(seed: int):
    circuit = random_dynamic_circuit(seed, 4, 4, 10)
    for simplification in simplifying.SIMPLIFICATIONS:
        for version in simplification(circuit):
            version.validate()
            assert measure_of(version) < measure_of(circuit)


def test_all_versions_of_each_gate_are_valid_and_weigh_less():
    circuit = one_of_each_gate()
    weight = total_weight(circuit.operations)
    versions = list(simplifying.with_simpler_gates(circuit))
    assert versions
    for version in versions:
        version.validate()
        assert total_weight(version.operations) < weight


def test_a_gate_loses_controls_and_angles_and_becomes_plain():
    versions = texts(simplifying.with_simpler_gates(Circuit(4).c3x(3, 2, 1, 0)))
    assert versions[0] == "x 0"
    assert {"ccx 3 2 0", "ccx 3 1 0", "ccx 2 1 0", "cx 3 0", "h 3", "h 3 cx 3 0", "x 0 x 1"} <= set(versions)
    versions = texts(simplifying.with_simpler_gates(Circuit(2).cu3(1.0, 2.0, 3.0, 0, 1)))
    assert {"u3(1, 2, 3) 1", "crx(1) 0 1", "crz(2) 0 1", "cp(3) 0 1"} <= set(versions)
    assert "u(1, 2, 3) 0" in texts(simplifying.with_simpler_gates(Circuit(1).U(1, 2, 3, 0)))


def test_the_simplest_gate_has_no_simpler_one():
    assert not list(simplifying.with_simpler_gates(Circuit(1).x(0)))


def test_a_replaced_gate_keeps_its_condition():
    (first, *_) = simplifying.with_simpler_gates(Circuit(2, 1).swap(0, 1, when={0: 1}))
    assert first.operations[0].condition == (Comparison((0,), 1),)


def test_an_angle_becomes_simple_or_short():
    versions = [
        circuit.operations[0].params[0] for circuit in simplifying.with_simpler_angles(Circuit(1).rx(-1.23456, 0))
    ]
    assert versions[:3] == [0, math.pi / 2, math.pi]
    assert {-1.0, -1.2, -1.23, -1.235} <= set(versions)
    assert not list(simplifying.with_simpler_angles(Circuit(1).rx(0, 0)))


def test_a_condition_is_dropped_or_shortened():
    condition = (Comparison((0, 1), 2), Comparison((2,), 1, equal=False))
    versions = [
        circuit.operations[0].condition
        for circuit in simplifying.with_simpler_conditions(Circuit(1, 3).x(0, when=condition))
    ]
    assert versions[0] == ()
    assert (condition[0],) in versions
    assert (condition[1],) in versions
    assert (Comparison((1,), 1), condition[1]) in versions
    assert (Comparison((0,), 0), condition[1]) in versions
    assert (condition[0], Comparison((2,), 1)) in versions


def test_qubits_that_never_meet_become_one():
    versions = texts(simplifying.with_qubits_joined(Circuit(3, 0).h(0).cx(1, 2)))
    assert versions == ["h 0 cx 0 1", "h 0 cx 1 0"]


def test_operations_alone_stand_between_plain_gates_and_weigh_less():
    circuit = Circuit(3).h(0).ryy(0.3, 0, 1).rz(0.4, 2).crx(0.2, 1, 2).measure_all()
    versions = list(isolated(circuit))
    weights = [total_weight(version.operations) for version in versions]
    assert weights == sorted(weights)
    assert weights[-1] < total_weight(circuit.operations)
    assert "h 0 rz(0.4) 0 sx 0 measure 0 -> 0" in texts(versions)
    for version in versions:
        version.validate()


def test_pairs_of_operations_that_share_a_clbit_stay_together():
    circuit = Circuit(2, 2).x(0).measure(0, 1).ch(0, 1).ry(0.1, 1, when={1: 1}).measure_all()
    assert "x 0 measure 0 -> 0 ry(0.1) 1 measure 0 -> 1 measure 1 -> 2" in texts(isolated(circuit))


def test_a_long_circuit_is_not_taken_apart():
    long = Circuit(1)
    for _ in range(40):
        long.rx(0.1, 0)
    assert not list(isolated(long.measure_all()))


def test_final_measurements_are_not_counted():
    circuit = Circuit(2, 3).h(0).measure(0, 0).x(1, when={0: 1}).barrier().measure(0, 1).measure(1, 2)
    assert final_measurements(circuit.operations) == {4, 5}
    assert num_operations(circuit) == 3


def test_qubits_and_clbits_are_renumbered_in_their_order():
    circuit = Circuit(6, 6).cx(4, 2).measure(4, 5).x(2, when=Comparison((5, 1), 2))
    compact = keep_only(circuit, {2, 4}, {1, 5})
    assert (compact.num_qubits, compact.num_clbits) == (2, 2)
    assert compact == Circuit(2, 2).cx(1, 0).measure(1, 1).x(0, when=Comparison((1, 0), 2))
