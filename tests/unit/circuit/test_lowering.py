from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from support.simulation import assert_same_behaviour, unitary

from gateway.circuit import Circuit, lowering, parameter
from gateway.circuit.gates import GATES
from gateway.circuit.lowering import depends_on_angles, lower
from gateway.errors import UnsupportedError

MINIMAL = frozenset({"u", "cx", "gphase"})
CLIFFORD = frozenset({"h", "s", "cx", "gphase"})
USUAL = frozenset({"h", "x", "rx", "rz", "ry", "cx", "cz", "p", "u", "gphase"})


@pytest.mark.parametrize("native", [MINIMAL, USUAL], ids=["minimal", "usual"])
@pytest.mark.parametrize("gate", GATES.values(), ids=GATES)
def test_every_gate_lowers_to_its_unitary_with_its_phase(gate, native):
    qubits = list(range(gate.num_qubits))[::-1]
    params = [0.3 + place for place in range(gate.num_params)]
    circuit = Circuit(max(gate.num_qubits, 1)).gate(gate.name, qubits, params)
    lowered = Circuit(circuit.num_qubits, 0, lower(circuit.operations, native))
    lowered.validate()
    assert {operation.name for operation in lowered.operations} <= native
    np.testing.assert_allclose(unitary(lowered), unitary(circuit), atol=1e-12)


def test_native_operations_are_returned_as_the_same_list():
    circuit = Circuit(2, 2).h(0).cx(0, 1).barrier().measure(0, 0).reset(1)
    assert lower(circuit.operations, {"h", "cx"}) is circuit.operations


def test_each_operation_of_a_definition_carries_the_condition():
    circuit = Circuit(3, 2).h(0).measure(0, 1).ccx(0, 1, 2, when={1: 1}).swap(0, 2, when={0: 0, 1: 1})
    lowered = Circuit(3, 2, lower(circuit.operations, MINIMAL))
    conditional = [operation for operation in lowered.operations if operation.condition]
    assert len(conditional) == len(lowered.operations) - 2
    assert_same_behaviour(circuit, lowered)


def test_measurements_keep_their_place_between_lowered_gates():
    lowered = lower(Circuit(1, 1).z(0).measure(0, 0).z(0).operations, MINIMAL)
    assert [operation.name for operation in lowered] == ["u", "measure", "u"]


def test_a_gate_that_comes_down_to_nothing_native_is_refused_by_name():
    with pytest.raises(UnsupportedError, match=r"operation 1 \(ccx 0 1 2\): this gate comes down to nothing") as caught:
        lower(Circuit(3).u(0.1, 0.2, 0.3, 0).ccx(0, 1, 2).operations, frozenset({"u"}))
    assert (caught.value.operation, caught.value.gate, caught.value.feature) == (1, "ccx", "gate ccx")


@pytest.mark.parametrize("native", [MINIMAL, USUAL], ids=["minimal", "usual"])
@pytest.mark.parametrize("gate", [gate for gate in GATES.values() if gate.num_params], ids=lambda gate: gate.name)
def test_a_gate_with_parameters_lowers_to_what_it_lowers_to_at_their_values(gate, native):
    values = {f"p{place}": 0.3 + place for place in range(gate.num_params)}
    circuit = Circuit(max(gate.num_qubits, 1)).gate(
        gate.name, range(gate.num_qubits), [parameter(name) * 0.7 - 1 for name in values]
    )
    assert not depends_on_angles(circuit.operations, native)
    lowered = circuit.with_operations(lower(circuit.operations, native))
    at_values = circuit.bind(values)
    used = {name: values[name] for name in lowered.parameters}  # u0 does nothing with its own
    assert lowered.bind(used) == at_values.with_operations(lower(at_values.operations, native))


def test_lowering_needs_values_where_a_gate_may_be_a_clifford_gate():
    assert depends_on_angles(Circuit(1).rx(parameter("theta"), 0).operations, CLIFFORD)


def test_lowering_needs_values_where_a_definition_does_more_than_arithmetic(monkeypatch):
    gate = replace(GATES["rx"], definition=lambda theta: [("u", (0,), (math.fmod(theta, 1.0), 0.0, 0.0))])
    monkeypatch.setitem(GATES, "rx", gate)
    lowering._in_native_gates.cache_clear()
    try:
        assert depends_on_angles(Circuit(1).rx(parameter("theta"), 0).operations, MINIMAL)
    finally:
        lowering._in_native_gates.cache_clear()
