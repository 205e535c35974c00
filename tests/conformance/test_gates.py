"""Every gate of the table is exact, global phase included, and so are circuits of all gates."""

from __future__ import annotations

from contextlib import suppress
from random import Random

import numpy as np
import pytest
from support.asking import RefusedAsDeclared
from support.circuits import ANGLE, angles, random_circuit
from support.reference import distribution, unitary

from adapters.shared.dense import DenseAdapter
from gateway.circuit import Circuit
from gateway.circuit.gates import GATES
from gateway.circuit.lowering import lower
from gateway.errors import UnsupportedError
from gateway.results import ResultType

TOLERANCE = 1e-9
SPECIAL = (0.0, np.pi, -np.pi / 2, 2 * np.pi, 4 * np.pi, -6.5)
"""Angles where a formula may divide by zero or lose a sign."""


def matrix_through(run, circuit: Circuit) -> np.ndarray:
    """Return the circuit's matrix from one run.

    Every qubit is entangled with a partner the circuit does not touch. The amplitude of partners
    ``column`` and qubits ``row`` is then the entry of the matrix over the root of its size.
    """
    n = circuit.num_qubits
    doubled = Circuit(2 * n)
    for qubit in range(n):
        doubled.h(n + qubit).cx(n + qubit, qubit)
    doubled.operations += circuit.operations
    state = run(doubled, shots=None, result=ResultType.STATEVECTOR).statevector
    return state.reshape(2**n, 2**n).T * np.sqrt(2**n)


@pytest.mark.parametrize("gate", GATES.values(), ids=list(GATES))
def test_gate_has_the_matrix_of_the_table(exact_run, gate):
    random = Random(gate.name)
    draws = [angles(random, gate), angles(random, gate)] if gate.num_params else [[]]
    if gate.num_params:
        draws.append([random.choice(SPECIAL) for _ in range(gate.num_params)])
    for params in draws:
        size = max(gate.num_qubits, 1) + (gate.num_qubits < 4)
        circuit = Circuit(size).gate(gate.name, random.sample(range(size), gate.num_qubits), params)
        found = matrix_through(exact_run, circuit)
        np.testing.assert_allclose(found, unitary(circuit), atol=TOLERANCE, err_msg=str(circuit.operations[0]))


@pytest.mark.parametrize("name", [gate.name for gate in GATES.values() if gate.num_params == 1 and gate.num_qubits])
def test_rotation_keeps_its_sign_at_special_angles(exact_run, name):
    circuit = Circuit(GATES[name].num_qubits)
    for angle in (2 * np.pi, -ANGLE, 3 * np.pi):
        circuit.gate(name, range(circuit.num_qubits), [angle])
        np.testing.assert_allclose(matrix_through(exact_run, circuit), unitary(circuit), atol=TOLERANCE)


def assert_same(found, expected):
    keys = found.keys() | expected.keys()
    assert {k: found.get(k, 0) for k in keys} == pytest.approx({k: expected.get(k, 0) for k in keys}, abs=TOLERANCE)


PREPARED = ("", "x", "h", "x h", "h s", "h sdg")
"""Gates that bring a qubit from 0 to each of the six states that are found with certainty in one of the bases."""
BASES = ("", "h", "sdg h")
"""Gates before the measurement of Z, X and Y."""


@pytest.mark.parametrize("gate", [gate for gate in GATES.values() if gate.num_qubits], ids=lambda gate: gate.name)
def test_gate_turns_states_as_the_table_says_in_every_basis(stateless, gate):
    """What a simulator without state vectors can show of a gate: all but its global phase."""
    random = Random(gate.name)
    for _ in range(40 if gate.num_params else 20):
        circuit = Circuit(gate.num_qubits)
        for qubit in range(gate.num_qubits):
            for name in random.choice(PREPARED).split():
                circuit.gate(name, [qubit])
        params = [random.randrange(-4, 9) * np.pi / 2 for _ in range(gate.num_params)]
        circuit.gate(gate.name, random.sample(range(gate.num_qubits), gate.num_qubits), params)
        for qubit in range(gate.num_qubits):
            for name in random.choice(BASES).split():
                circuit.gate(name, [qubit])
        with suppress(RefusedAsDeclared):
            found = stateless(circuit.measure_all(), shots=None).probabilities
            assert_same(found, distribution(circuit))


def test_gate_acts_on_any_given_state(adapter):
    """The driver of dynamic circuits hands states over; they stay the caller's."""
    assert adapter.hands_over_states is isinstance(adapter, DenseAdapter)
    if not adapter.hands_over_states:
        return
    for seed in range(5):
        rng = np.random.default_rng(seed)
        state = rng.normal(size=32) + 1j * rng.normal(size=32)
        state /= np.linalg.norm(state)
        before = state.copy()
        circuit = random_circuit(seed, 5, 12 if seed else 0)
        native = adapter.build(Circuit(5, 0, lower(circuit.operations, frozenset(adapter.native_gates))))
        for _ in range(2):  # what was built can be used again
            found = adapter.evolve(native, state)
            assert found.dtype == np.complex128
            assert found.shape == (32,)
            np.testing.assert_allclose(found, unitary(circuit) @ before, atol=TOLERANCE)
            found[:] = 0  # the caller's to change
            np.testing.assert_array_equal(state, before)


@pytest.mark.parametrize("seed", range(6))
def test_random_circuit_has_the_right_state_with_its_phase(exact_run, seed):
    circuit = random_circuit(seed, 3 + seed % 4, 40)
    found = exact_run(circuit, shots=None, result=ResultType.STATEVECTOR)
    np.testing.assert_allclose(found.statevector, unitary(circuit)[:, 0], atol=TOLERANCE)
    assert found.provenance.sampler == "none"


@pytest.mark.parametrize("seed", range(6))
def test_random_circuit_has_the_right_probabilities(probabilities, fit, seed):
    circuit = fit(random_circuit(100 + seed, 3 + seed % 4, 40).measure_all())
    found, expected = probabilities(circuit), distribution(circuit)
    assert {key: found.get(key, 0.0) for key in expected} == pytest.approx(expected, abs=TOLERANCE)
    assert sum(found.values()) == pytest.approx(1, abs=TOLERANCE)


def test_long_circuit_loses_no_precision(probabilities, fit):
    circuit = random_circuit(7, 4, 600)
    echo = Circuit(4).x(2)
    for op in circuit.operations:
        echo.append(op)
    echo = fit(echo)
    expected = distribution(echo.measure_all())
    assert probabilities(echo) == pytest.approx(expected, abs=TOLERANCE)


@pytest.mark.parametrize(
    "circuit",
    [Circuit(1, 1).h(0).measure(0, 0), Circuit(1).reset(0), Circuit(1, 1).x(0, when={0: 0})],
    ids=["measure", "reset", "condition"],
)
def test_circuit_that_is_no_matrix_has_no_state_vector(exact_run, circuit):
    with pytest.raises(UnsupportedError, match="no single state vector"):
        exact_run(circuit, shots=None, result=ResultType.STATEVECTOR)


def test_state_vector_keeps_idle_qubits(exact_run):
    state = exact_run(Circuit(4).x(2), shots=None, result=ResultType.STATEVECTOR).statevector
    assert np.flatnonzero(np.abs(state) > TOLERANCE).tolist() == [4]
    assert state.shape == (16,)


def test_state_vector_of_no_qubits_is_its_phase(exact_run):
    state = exact_run(Circuit().gphase(0.3), shots=None, result=ResultType.STATEVECTOR).statevector
    np.testing.assert_allclose(state, [np.exp(0.3j)], atol=TOLERANCE)
