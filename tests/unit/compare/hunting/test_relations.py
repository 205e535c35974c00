from __future__ import annotations

from random import Random

import numpy as np
import pytest
from support.circuits import random_classical_circuit, random_program
from support.reference import distribution

from gateway.circuit import Circuit
from gateway.compare.hunting import relations
from gateway.compare.hunting.generator import random_circuit
from gateway.compare.hunting.scope import Scope


def assert_same_distribution(first: Circuit, second: Circuit) -> None:
    ours, theirs = distribution(first), distribution(second)
    for outcome in ours.keys() | theirs.keys():
        np.testing.assert_allclose(ours.get(outcome, 0.0), theirs.get(outcome, 0.0), atol=1e-9)


@pytest.mark.parametrize("profile", ["static", "dynamic", "conditions", "operand-orders"])
def test_a_changed_circuit_has_the_same_distribution(profile):
    for seed in range(25):
        _, circuit = random_circuit(seed, None, profile)
        other = relations.changed(circuit, Random(seed))
        other.validate()
        assert_same_distribution(circuit, other)


@pytest.mark.parametrize("make", [random_program, random_classical_circuit])
@pytest.mark.parametrize("seed", range(8))
def test_a_changed_circuit_with_loops_has_the_same_distribution(make, seed):
    circuit = make(seed)
    expected, found = distribution(circuit), distribution(relations.changed(circuit, Random(seed)))
    keys = sorted(expected.keys() | found.keys())
    assert [found.get(key, 0) for key in keys] == pytest.approx([expected.get(key, 0) for key in keys], abs=1e-9)


def test_each_change_changes_something():
    _, circuit = random_circuit(3, None, "static")
    assert len(relations.with_inverses(circuit, Random(1), Scope()).operations) > len(circuit.operations)
    assert any(relations.reordered(circuit, Random(seed)) != circuit for seed in range(5))
    assert any(relations.relabelled(circuit, Random(seed)) != circuit for seed in range(5))


def test_operations_that_share_a_qubit_or_a_clbit_stay_in_order():
    circuit = Circuit(2, 2).h(0).measure(0, 0).x(1, when={0: 1}).measure(1, 1)
    assert all(relations.reordered(circuit, Random(seed)) == circuit for seed in range(10))


@pytest.mark.parametrize("circuit", [Circuit(), Circuit(1, 1).measure(0, 0)], ids=["empty", "one measurement"])
def test_the_smallest_circuits_can_be_changed(circuit):
    assert_same_distribution(circuit, relations.changed(circuit, Random(1)))
