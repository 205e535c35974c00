"""The text of a reproducer brings the same operations back."""

from __future__ import annotations

from random import Random

import pytest
from support.circuits import angles, random_dynamic_circuit

from gateway.circuit import Circuit, parse
from gateway.circuit.gates import GATES
from gateway.compare.writing import as_written, openqasm_of


@pytest.mark.parametrize("name", GATES)
def test_every_gate_is_called_by_its_name(name: str):
    gate = GATES[name]
    circuit = Circuit(5).gate(name, range(gate.num_qubits), angles(Random(1), gate)).measure_all()
    assert parse(openqasm_of(circuit)) == circuit


@pytest.mark.parametrize("seed", range(5))
def test_the_operations_of_a_dynamic_circuit_come_back_and_stay_as_they_are_then(seed: int):
    circuit = random_dynamic_circuit(seed)
    written = as_written(circuit)
    assert [op.name for op in written.operations] == [op.name for op in circuit.operations]
    assert as_written(written) == written


def test_gates_that_other_tools_may_not_know_are_named():
    text = openqasm_of(Circuit(4).h(0).cu3(1, 2, 3, 0, 1).c3x(0, 1, 2, 3))
    assert "// cu3 and c3x are gates that the gateway knows" in text
    assert "//" not in openqasm_of(Circuit(2).h(0).cx(0, 1))
