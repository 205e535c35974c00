from __future__ import annotations

import warnings

import numpy as np
import pyquil
import pytest
from pyquil.simulation import NumpyWavefunctionSimulator, targeted_tensordot
from support.circuits import random_circuit
from support.reference import unitary

from adapters.rigetti import RigettiAdapter
from gateway.circuit import Circuit
from gateway.circuit.lowering import lower
from gateway.results import Sampling


@pytest.fixture(scope="module")
def adapter():
    return RigettiAdapter()


def build(adapter, circuit):
    lowered = lower(circuit.operations, frozenset(adapter.native_gates))
    return adapter.build(Circuit(circuit.num_qubits, circuit.num_clbits, lowered))


def test_version_is_the_pinned_one():
    """The private function in use is only known to be there in this version."""
    assert pyquil.__version__ == "4.22.0"
    assert callable(targeted_tensordot.__wrapped__)


@pytest.mark.filterwarnings("ignore:Call to deprecated:FutureWarning")
@pytest.mark.parametrize("seed", range(4))
def test_shorter_way_equals_the_public_one(adapter, seed):
    program = build(adapter, random_circuit(seed, 5, 40))
    simulator = NumpyWavefunctionSimulator(5)
    for tensor, qubits in program.steps:
        simulator.do_gate_matrix(tensor, list(qubits))
    np.testing.assert_allclose(adapter.evolve(program), simulator.wf.transpose().reshape(-1), atol=1e-13)


def test_deprecation_is_silenced_here_and_nowhere_else(adapter):
    program = adapter.build(Circuit(1).h(0))
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        adapter.evolve(program)
        assert not seen
        NumpyWavefunctionSimulator(1)
    assert "removed in pyQuil v5" in str(seen[0].message)


def test_matrices_are_pyquils_own_where_it_has_the_gate(adapter):
    from pyquil.simulation.matrices import CSWAP, QUANTUM_GATES  # noqa: PLC0415 - only here

    gates = adapter.native_gates
    np.testing.assert_array_equal(gates["cswap"].reshape(8, 8), CSWAP)
    np.testing.assert_array_equal(gates["rx"](0.3), QUANTUM_GATES["RX"](0.3))


def test_adjoint_is_applied_as_a_matrix(adapter):
    """pyQuil's simulator would run ``S(0).dagger()`` as ``S``."""
    assert adapter.evolve(adapter.build(Circuit(1).x(0).sdg(0)))[1] == pytest.approx(-1j)


def test_state_is_little_endian_both_ways(adapter):
    state = np.zeros(8, dtype=complex)
    state[0b001] = 1
    found = adapter.evolve(adapter.build(Circuit(3).cx(0, 2)), state)
    assert np.flatnonzero(found).tolist() == [0b101]


def test_circuit_without_gates_hands_back_a_copy(adapter):
    state = np.array([0.6, 0.8j])
    found = adapter.evolve(adapter.build(Circuit(1)), state)
    np.testing.assert_array_equal(found, state)
    assert not np.shares_memory(found, state)


def test_gate_on_many_shuffled_qubits(adapter):
    circuit = Circuit(6).h(0).h(1).ry(0.3, 2).h(4).h(5).c4x(5, 0, 4, 2, 1).rc3x(3, 1, 0, 5)
    np.testing.assert_allclose(adapter.evolve(build(adapter, circuit)), unitary(circuit)[:, 0], atol=1e-12)


def test_own_sampler_is_seeded_by_a_random_state_of_its_own(adapter):
    np.random.seed(1)  # noqa: NPY002 - to show that the global one is not used
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    circuit = Circuit(3).h(0).h(1).h(2).measure_all()
    first = adapter.run(circuit, shots=100, seed=4, sampling=Sampling.NATIVE)
    assert adapter.run(circuit, shots=100, seed=4, sampling=Sampling.NATIVE) == first
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002
