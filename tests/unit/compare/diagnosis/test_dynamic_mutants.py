from __future__ import annotations

import pytest

from gateway.circuit import Circuit, Comparison
from gateway.compare.diagnosis.dynamic_mutants import clbits_of_conditions, dynamic_mutants

BOTH = Comparison((0, 1), 2)


def mutants_of(circuit: Circuit, name: str) -> dict[str, Circuit]:
    """Return detail -> circuit of the mutants of one name."""
    return {mutant.detail: mutant.circuit for mutant in dynamic_mutants(circuit) if mutant.name == name}


def test_the_clbits_that_conditions_test_are_found():
    assert clbits_of_conditions(Circuit(1, 3).x(0, when={2: 1}).x(0, when=(BOTH,))) == {0, 1, 2}
    assert not clbits_of_conditions(Circuit(1, 3).measure(0, 0))


def test_later_measurements_into_a_clbit_are_lost():
    circuit = Circuit(2, 2).measure(0, 1).measure(1, 0).measure(0, 0)
    (mutant,) = mutants_of(circuit, "first-write-kept").values()
    assert mutant == Circuit(2, 3).measure(0, 1).measure(1, 0).measure(0, 2)


def test_a_tested_clbit_may_be_unwritten_inverted_or_stuck_when_it_is_tested():
    circuit = Circuit(1, 1).h(0).measure(0, 0).x(0, when={0: 1})
    assert list(mutants_of(circuit, "clbit-unwritten").values()) == [Circuit(1, 2).h(0).measure(0, 1).x(0, when={0: 1})]
    assert list(mutants_of(circuit, "clbit-inverted").values()) == [
        Circuit(1, 1).h(0).x(0).measure(0, 0).x(0).x(0, when={0: 1})
    ]
    assert list(mutants_of(circuit, "clbit-stuck").values()) == [
        Circuit(2, 2).x(1).measure(1, 0).h(0).measure(0, 1).x(0, when={0: 1})
    ]


def test_a_clbit_that_nothing_tests_has_no_such_mutants():
    circuit = Circuit(1, 1).h(0).measure(0, 0)
    for name in ("clbit-unwritten", "clbit-inverted", "clbit-stuck"):
        assert not mutants_of(circuit, name)


def test_the_qubits_beside_an_idle_one_are_read_where_they_end_up():
    circuit = Circuit(3).h(0).x(2).measure_all()
    found = mutants_of(circuit, "idle-qubit-dropped")
    assert found["idle qubit 1 left out and the qubits above moved down"] == (
        Circuit(4, 3).h(0).x(2).measure(0, 0).measure(2, 1).measure(3, 2)
    )
    assert found["idle qubit 1 left out and the qubits below moved up"] == (
        Circuit(4, 3).h(0).x(2).measure(3, 0).measure(0, 1).measure(2, 2)
    )


def test_idle_qubits_are_left_out_together_or_alone_and_those_measured_may_count():
    circuit = Circuit(4, 2).x(1).measure(1, 0).measure(2, 1)
    found = mutants_of(circuit, "idle-qubit-dropped")
    dropped = {detail.removeprefix("idle qubit").removeprefix("s").split(" left")[0].strip() for detail in found}
    assert dropped == {"0, 2, 3", "0, 3", "0", "2", "3"}


def test_conditions_are_ignored():
    circuit = Circuit(1, 2).measure(0, 0).x(0, when=(BOTH,)).measure(0, 1, when={0: 1})
    found = mutants_of(circuit, "condition-ignored")
    assert found["the circuit with every condition ignored"] == Circuit(1, 2).measure(0, 0).x(0).measure(0, 1)
    assert found["the circuit with the conditions of measurements and resets ignored"] == (
        Circuit(1, 2).measure(0, 0).x(0, when=(BOTH,)).measure(0, 1)
    )


def test_only_one_comparison_of_a_condition_is_heeded():
    first, last = Comparison((0,), 1), Comparison((1,), 0)
    found = mutants_of(Circuit(1, 2).x(0, when=(first, last)), "condition-ignored")
    assert found["the circuit with only the first comparison of every condition heeded"] == (
        Circuit(1, 2).x(0, when=first)
    )
    assert found["the circuit with only the last comparison of every condition heeded"] == Circuit(1, 2).x(0, when=last)


def test_the_opposite_of_a_condition_is_taken():
    first, last = Comparison((0,), 1), Comparison((1,), 0, equal=False)
    found = mutants_of(Circuit(1, 2).x(0, when=(first, last)), "condition-inverted")
    not_first, not_last = Comparison((0,), 1, equal=False), Comparison((1,), 0)
    assert found == {
        "the circuit with every condition inverted": Circuit(1, 2).x(0, when=not_first).x(0, when=(first, not_last)),
        "the circuit with every comparison inverted": Circuit(1, 2).x(0, when=(not_first, not_last)),
        "the circuit with every != taken for ==": Circuit(1, 2).x(0, when=(first, not_last)),
    }


def test_conditions_are_read_in_the_other_bit_order():
    (mutant,) = mutants_of(Circuit(1, 2).x(0, when=(BOTH,)), "condition-reversed").values()
    assert mutant == Circuit(1, 2).x(0, when=Comparison((1, 0), 2))


def test_resets_are_left_out_or_measure_only():
    found = mutants_of(Circuit(1, 1).h(0).reset(0, when={0: 0}), "reset-ignored")
    assert list(found.values()) == [Circuit(1, 1).h(0), Circuit(1, 2).h(0).measure(0, 1, when={0: 0})]


def test_measurements_are_put_off_to_the_end():
    circuit = Circuit(1, 2).h(0).measure(0, 0).x(0, when={0: 1}).measure(0, 1, when={0: 0}).y(0)
    assert list(mutants_of(circuit, "measurement-postponed").values()) == [
        Circuit(1, 2).h(0).x(0, when={0: 1}).measure(0, 1, when={0: 0}).y(0).measure(0, 0),
        Circuit(1, 2).h(0).x(0, when={0: 1}).y(0).measure(0, 0).measure(0, 1, when={0: 0}),
        Circuit(1, 2).h(0).measure(0, 0).x(0, when={0: 1}).measure(0, 1, when={0: 0}).y(0).measure(0, 0),
    ]


def test_measurements_that_are_at_the_end_stay_there():
    assert not mutants_of(Circuit(2).h(0).measure_all(), "measurement-postponed")


@pytest.mark.parametrize("circuit", [Circuit(0, 0), Circuit(3, 0), Circuit(0, 2), Circuit(2).measure_all()])
def test_circuits_without_dynamics_have_no_other_circuit_among_their_mutants_but_for_idle_qubits(circuit):
    found = {mutant.name for mutant in dynamic_mutants(circuit) if mutant.circuit.operations != circuit.operations}
    assert found <= {"idle-qubit-dropped"}
