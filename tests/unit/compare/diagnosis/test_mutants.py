from __future__ import annotations

from collections import Counter

import pytest

from gateway.circuit import Circuit, bits
from gateway.compare import exact
from gateway.compare.diagnosis.mutants import mutants


def predictions(circuit: Circuit, name: str) -> list[dict[str, float]]:
    return [made.predict().distribution.to_dict() for made in mutants(circuit) if made.name == name]


def test_a_mutant_predicts_its_exact_distribution():
    circuit = Circuit(1).ry(1.0, 0).measure_all()
    (expected,) = predictions(circuit, "gate-dropped:ry")
    assert expected == {"0": 1.0}


def test_clbits_that_only_the_mutant_has_are_left_out():
    circuit = Circuit(2, 2).x(0).measure(0, 0).measure(1, 0)
    assert predictions(circuit, "first-write-kept") == [{"01": 1.0}]


def test_mutants_that_run_the_same_circuit_are_no_hypotheses():
    circuit = Circuit(2).h(0).cz(0, 1).crz(0.5, 0, 1).measure_all()
    names = Counter(made.name for made in mutants(circuit))
    assert "inverse-taken:cz" not in names
    assert "angle-modulo:crz" not in names
    assert names["operands-exchanged:crz"] == 1  # the order is ascending already
    assert not {"reset-ignored", "condition-ignored", "measurement-postponed", "first-write-kept"} & set(names)


def test_of_mutants_of_a_name_that_run_the_same_circuit_there_is_one():
    circuit = Circuit(2, 2).measure(0, 0).x(1, when={0: 1}).measure(1, 1)
    names = Counter(made.name for made in mutants(circuit))
    assert names["condition-inverted"] == 1
    assert names["condition-ignored"] == 1


def test_a_mutant_that_is_too_large_to_simulate_predicts_nothing():
    circuit = Circuit(40)
    for qubit in range(40):
        circuit.h(qubit)
    for qubit in range(40):
        for other in range(qubit):
            circuit.cp(0.1, qubit, other)
    for qubit in range(40):
        circuit.h(qubit)
    circuit.measure_all()
    assert next(iter(mutants(circuit))).predict() is None


@pytest.mark.parametrize("angle", [1e308, -1e308, 5e-324])
def test_extreme_angles_make_no_mutant_that_cannot_be_simulated(angle):
    circuit = Circuit(2).h(0).rz(angle, 0).cu3(angle, angle, angle, 0, 1).h(0).measure_all()
    exact.distribution(circuit)
    for made in mutants(circuit):
        assert made.predict() is not None


def test_of_circuits_with_loops_the_gates_have_mutants():
    circuit = Circuit(1, 1, num_hidden=1).ry(1.0, 0).measure(0, 1).while_({1: 1}).x(0).measure(0, 1).end()
    circuit.set((0,), bits(1) + 1)
    made = {mutant.name: mutant.predict() for mutant in mutants(circuit)}
    assert made["gate-dropped:ry"].distribution.to_dict() == {"1": 1.0}
    assert made["gate-dropped:x"] is None  # it would never end
    assert all(name.endswith((":ry", ":x")) for name in made)
