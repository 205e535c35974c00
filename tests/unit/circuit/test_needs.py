from __future__ import annotations

import pytest
from support.circuits import bell, teleportation

from gateway.circuit import Circuit
from gateway.circuit.needs import MOST_GATES_IN_SINGLE_PRECISION, needs
from gateway.results import Precision


def test_an_empty_circuit_needs_nothing():
    found = needs(Circuit())
    assert (found.gates, found.qubits, found.num_qubits) == ({}, 0, 0)
    assert found.measurement is found.reset is found.classical_control is found.dynamic is found.parameters is None
    assert found.precision is Precision.SINGLE


def test_each_gate_is_listed_with_the_operation_where_it_occurs_first():
    circuit = Circuit(2, 2).h(0).barrier().cx(0, 1).h(1).measure(0, 0).reset(0).t(1)
    assert needs(circuit).gates == {"h": 0, "cx": 2, "t": 6}


def test_the_first_measurement_reset_and_condition_are_found():
    circuit = Circuit(2, 2).h(0).measure(0, 0).reset(1).x(1, when={0: 1}).reset(1).measure(1, 1)
    found = needs(circuit)
    assert (found.measurement, found.reset, found.classical_control) == (1, 2, 3)


def test_measurements_at_the_end_of_each_qubit_are_not_in_mid_circuit():
    found = needs(Circuit(3, 3).h(0).measure(0, 0).h(1).cx(1, 2).measure(1, 1).barrier().measure(2, 2))
    assert (found.mid_circuit_measurement, found.repeated_measurement, found.dynamic) == (None, None, None)


@pytest.mark.parametrize(
    ("circuit", "index"),
    [
        (Circuit(1, 2).h(0).measure(0, 0).h(0).measure(0, 1), 2),
        (Circuit(2, 2).measure(0, 0).h(1).cx(1, 0), 2),
        (Circuit(1, 1).measure(0, 0).barrier().reset(0), 2),
    ],
    ids=["gate", "two qubits", "reset"],
)
def test_what_acts_on_a_measured_qubit_makes_the_measurement_one_in_mid_circuit(circuit, index):
    assert needs(circuit).mid_circuit_measurement == index


def test_a_qubit_measured_again_is_told_from_one_that_was_changed():
    found = needs(Circuit(2, 3).measure(0, 0).measure(1, 1).barrier().measure(0, 2))
    assert (found.repeated_measurement, found.mid_circuit_measurement, found.dynamic) == (3, None, None)


def test_a_circuit_is_dynamic_from_its_first_reset_condition_or_used_outcome():
    assert needs(teleportation()).dynamic == 7
    assert needs(Circuit(2, 1).reset(1).measure(0, 0)).dynamic == 0
    assert needs(bell()).dynamic is None


def test_a_conditional_measurement_depends_on_clbits():
    assert needs(Circuit(2, 2).measure(0, 0).measure(1, 1, when={0: 1})).classical_control == 1


def test_idle_qubits_do_not_count_and_barriers_do_not_act():
    found = needs(Circuit(9, 1).x(7).barrier().gphase(0.3).measure(2, 0))
    assert (found.qubits, found.num_qubits) == (2, 9)


def test_the_first_gate_with_an_angle_is_found():
    assert needs(Circuit(1).h(0).x(0).rx(0.1, 0).p(0.2, 0)).parameters == 2


def test_so_many_operations_need_double_precision():
    circuit = Circuit(1)
    circuit.operations = Circuit(1).x(0).operations * MOST_GATES_IN_SINGLE_PRECISION
    assert needs(circuit).precision is Precision.SINGLE
    assert needs(circuit.x(0)).precision is Precision.DOUBLE


def test_a_circuit_is_not_modified():
    circuit = teleportation()
    before = list(circuit.operations)
    needs(circuit)
    assert circuit.operations == before
