from __future__ import annotations

from random import Random

import pytest

from gateway.circuit import Circuit
from gateway.circuit.gates import GATES
from gateway.circuit.lowering import first_unlowerable
from gateway.compare.hunting.scope import Scope
from gateway.results import CLIFFORD, Capabilities, ResultType


def test_a_universal_simulator_takes_every_gate_at_every_angle():
    scope = Scope.of(Capabilities(result_types=tuple(ResultType)))
    assert scope.gates == tuple(GATES)
    assert scope.quarter_gates == ()


def test_a_clifford_simulator_takes_rotations_by_quarter_turns_only():
    scope = Scope.of(Capabilities(result_types=tuple(ResultType), gates=CLIFFORD))
    assert {"h", "cx", "gphase"} <= set(scope.gates)
    assert {"rz", "u", "cp", "rzz", "xx_plus_yy"} <= set(scope.quarter_gates)
    assert {"t", "ccx", "ch"}.isdisjoint({*scope.gates, *scope.quarter_gates})


@pytest.mark.parametrize("name", ["rz", "u", "crx", "rzx", "cu"])
def test_angles_of_quarter_gates_are_taken(name):
    scope = Scope.of(Capabilities(result_types=tuple(ResultType), gates=CLIFFORD))
    for seed in range(20):
        angles = scope.quarter_angles(name, Random(seed))
        circuit = Circuit(2).gate(name, range(GATES[name].num_qubits), angles)
        assert first_unlowerable(circuit.operations, CLIFFORD) is None


def test_gates_that_follow_from_the_declared_ones_are_taken():
    scope = Scope.of(Capabilities(result_types=tuple(ResultType), gates=("u", "cx", "gphase")))
    assert scope.gates == tuple(GATES)
    assert Scope.of(Capabilities(result_types=tuple(ResultType), gates=("x", "cx"))).fitting(1) == ["id", "u0", "x"]
