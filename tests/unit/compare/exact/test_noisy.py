"""Our own exact simulation with noise, held to Kraus operators and to the one without noise."""

from __future__ import annotations

import numpy as np
import pytest
from support.circuits import random_dynamic_circuit

from adapters.shared.channels import kraus_operators
from gateway.circuit import Circuit
from gateway.circuit.gates import GATES
from gateway.compare.exact import Bounds, distribution, noisy_distribution
from gateway.compare.exact.noisy import _CHANNELS, _gate
from gateway.errors import LimitError
from gateway.noise import Channel, NoiseModel

SIZE = 3


def embedded(matrix, qubits) -> np.ndarray:
    """Return a matrix on some of three qubits as one on all of them; the first qubit is its least significant bit."""
    whole = np.zeros((2**SIZE,) * 2, dtype=complex)
    for column in range(2**SIZE):
        others = column & ~sum(1 << qubit for qubit in qubits)
        inner = sum((column >> qubit & 1) << place for place, qubit in enumerate(qubits))
        for row in range(2 ** len(qubits)):
            outer = others | sum((row >> place & 1) << qubit for place, qubit in enumerate(qubits))
            whole[outer, column] += matrix[row][inner]
    return whole


def mixed_state(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(2**SIZE,) * 2) + 1j * rng.normal(size=(2**SIZE,) * 2)
    rho = root @ root.conj().T
    return rho / np.trace(rho)


@pytest.mark.parametrize("probability", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("channel", list(Channel))
def test_a_channel_is_the_sum_of_its_kraus_operators(channel, probability) -> None:
    rho = mixed_state(1)
    for qubits in [(0,), (1,), (2,)] if channel.num_qubits == 1 else [(0, 1), (2, 0)]:
        operators = [embedded(kraus, qubits) for kraus in kraus_operators(channel, probability)]
        expected = sum(kraus @ rho @ kraus.conj().T for kraus in operators)
        assert np.allclose(_CHANNELS[channel](rho, qubits, probability), expected, rtol=0, atol=1e-14)
        assert np.allclose(sum(kraus.conj().T @ kraus for kraus in operators), np.eye(2**SIZE), rtol=0, atol=1e-14)


@pytest.mark.parametrize("name", ["u", "cx", "ccx", "cu", "iswap"])
def test_a_gate_acts_from_both_sides(name) -> None:
    gate, rho = GATES[name], mixed_state(2)
    params, qubits = (0.3, 0.5, 0.7, 0.9)[: gate.num_params], (2, 0, 1)[: gate.num_qubits]
    unitary = embedded(gate.unitary(*params), qubits)
    assert np.allclose(_gate(rho, name, qubits, params), unitary @ rho @ unitary.conj().T, rtol=0, atol=1e-14)


@pytest.mark.parametrize("seed", range(20))
def test_without_noise_it_is_the_distribution_of_the_other_simulation(seed) -> None:
    circuit = random_dynamic_circuit(seed)
    exact, noisy = distribution(circuit).to_dict(), noisy_distribution(circuit, NoiseModel()).to_dict()
    assert max(abs(exact.get(key, 0) - noisy.get(key, 0)) for key in {*exact, *noisy}) < 1e-12


def test_misread_outcomes_decide_about_conditions() -> None:
    circuit = Circuit(2, 2).x(0).measure(0, 0).x(1, when={0: 1}).measure(1, 1)
    noise = NoiseModel().readout_error(0.0, 0.25, qubits=[0])
    assert noisy_distribution(circuit, noise).to_dict() == pytest.approx({"00": 0.25, "11": 0.75})


def test_a_circuit_that_is_too_large_is_refused() -> None:
    with pytest.raises(LimitError, match="exact simulator takes at most"):
        noisy_distribution(Circuit(20).h(0).measure_all(), NoiseModel().bit_flip(0.1))
    with pytest.raises(LimitError, match="changes of amplitudes"):
        noisy_distribution(Circuit(3).h(0).measure_all(), NoiseModel(), bounds=Bounds(work=10))


def test_a_loop_that_never_ends_is_said() -> None:
    circuit = Circuit(1, 1).x(0).measure(0, 0).while_({0: 1}).end()
    with pytest.raises(LimitError, match=r"operation 2: .* after 10,000 turns"):
        noisy_distribution(circuit, NoiseModel().bit_flip(0.1))
    with pytest.raises(LimitError, match=r"after 3 turns"):
        noisy_distribution(circuit, NoiseModel(), bounds=Bounds(turns=3))
