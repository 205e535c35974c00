from __future__ import annotations

import numpy as np
import pytest

from adapters.qulacs import QulacsAdapter
from gateway.circuit import Circuit
from gateway.observables import observable_list
from gateway.results import ResultType, Sampling
from gateway.run_details import RunDetails


@pytest.fixture(scope="module")
def adapter():
    return QulacsAdapter()


PAULI = {"x": np.array([[0, 1], [1, 0]]), "y": np.array([[0, -1j], [1j, 0]]), "z": np.diag([1, -1])}


@pytest.mark.parametrize("name", ["rx", "ry", "rz", "rxx", "ryy", "rzz", "rzx"])
def test_rotation_turns_the_way_of_the_table_and_not_of_qulacs(adapter, name):
    """By ``exp(-i t/2 P)``; Qulacs' own RX and PauliRotation turn by ``exp(+i t/2 P)``."""
    generator = PAULI[name[1]] if len(name) == 2 else np.kron(PAULI[name[2]], PAULI[name[1]])
    size = len(generator)
    program = adapter.build(Circuit(len(name) - 1).gate(name, range(len(name) - 1), [0.7]))
    expected = np.cos(0.35) * np.eye(size) - 1j * np.sin(0.35) * generator
    for column in range(size):
        state = np.eye(size, dtype=complex)[column]
        np.testing.assert_allclose(adapter.evolve(program, state), expected[:, column], atol=1e-12)


def test_angles_beyond_a_whole_turn_keep_their_sign(adapter):
    state = adapter.evolve(adapter.build(Circuit(1).rz(2 * np.pi, 0)))
    assert state[0] == pytest.approx(-1)


def test_global_phase_is_kept(adapter):
    state = adapter.run(Circuit(2).gphase(0.4), shots=None, result=ResultType.STATEVECTOR)
    assert state[0] == pytest.approx(np.exp(0.4j))


def test_evolving_leaves_the_given_state_alone_and_hands_out_a_new_one(adapter):
    state = np.array([0, 1], dtype=complex)
    found = adapter.evolve(adapter.build(Circuit(1).x(0)), state)
    found[:] = 7
    np.testing.assert_array_equal(state, [0, 1])


def test_own_sampler_takes_the_largest_seed(adapter):
    circuit = Circuit(4).h(0).h(1).h(2).h(3).measure_all()
    first = adapter.run(circuit, shots=50, seed=2**32 - 1, sampling=Sampling.NATIVE)
    assert adapter.run(circuit, shots=50, seed=2**32 - 1, sampling=Sampling.NATIVE) == first


def test_many_strings_that_flip_the_same_qubits_have_the_values_of_qulacs_own_observables(adapter, monkeypatch):
    circuit = Circuit(6)
    for qubit in range(6):
        circuit.ry(0.3 + qubit, qubit).rz(0.7 * qubit, qubit)
    for qubit in range(5):
        circuit.cx(qubit, qubit + 1)
    texts = [f"{first}{second}IXZ{third}" for first in "IXYZ" for second in "IXYZ" for third in "IZ"]
    details = RunDetails(observables=observable_list([*texts, dict.fromkeys(texts, 0.5)]))
    shared = adapter.run(circuit, shots=None, result=ResultType.EXPECTATION, details=details)
    monkeypatch.setattr("adapters.qulacs._MOST_ALIKE", 100)
    own = adapter.run(circuit, shots=None, result=ResultType.EXPECTATION, details=details)
    assert own.values == pytest.approx(shared.values, abs=1e-12)


def test_angles_of_rotations_are_changed_in_the_circuit_that_is_there(adapter):
    circuit = Circuit(2).h(0).rx(0.3, 0).rzz(0.4, 0, 1).ry(0.5, 1)
    others = [Circuit(2).h(0).rx(a, 0).rzz(0.4, 0, 1).ry(2 * a, 1) for a in (0.7, -1.1)]
    first = adapter.rebind(adapter.build(circuit), others[0], (1, 3))
    second = adapter.rebind(first, others[1], (1, 3))
    assert second is first
    assert first.circuit.get_parameter_count() == 2
    np.testing.assert_array_equal(adapter.evolve(second), adapter.evolve(adapter.build(others[1])))


def test_a_circuit_with_another_gate_that_changes_is_built_anew(adapter):
    circuit = Circuit(1).h(0).p(0.3, 0)
    native = adapter.build(circuit)
    again = adapter.rebind(native, Circuit(1).h(0).p(0.7, 0), (1,))
    assert again is not native
    np.testing.assert_array_equal(adapter.evolve(again), adapter.evolve(adapter.build(Circuit(1).h(0).p(0.7, 0))))
