"""Noise: every simulator that declares a kind of noise gives it the meaning that gateway.noise says.

Exact results and samples are held to the comparison's own exact simulation with density matrices, which shares
nothing with the simulators but the gate table.
"""

from __future__ import annotations

import random

import numpy as np
import pytest
from support.statistics import assert_drawn_from

from gateway.circuit import Circuit, Expression, bits, parameter
from gateway.circuit.gates import GATES
from gateway.circuit.points import Points
from gateway.compare.exact import noisy_distribution
from gateway.errors import LimitError, UnsupportedError
from gateway.noise import PAULI, READOUT, Channel, NoiseModel
from gateway.observables import observable_list
from gateway.results import ResultType
from gateway.run_details import RunDetails
from gateway.simulators import SIMULATORS

SHOTS = 20_000
KINDS = [*map(str, Channel), READOUT]


def model_of(kind: str, strength: float = 0.3) -> NoiseModel:
    if kind == READOUT:
        return NoiseModel().readout_error(strength, strength / 3)
    return NoiseModel()._with(Channel(kind), strength, None, None)


def circuit_of(capabilities) -> Circuit:
    """Return a circuit that shows each kind of noise, of Clifford gates where there are no others."""
    circuit = Circuit(3, 3).h(0).cx(0, 1).s(1).h(1).cx(1, 2).h(2).sdg(2).h(2)
    if capabilities.gates == "universal":
        circuit.ry(0.4, 0).crz(0.7, 0, 2).u(0.3, 0.5, 0.7, 1)
    return circuit.measure(0, 0).measure(1, 1).measure(2, 2)


def is_exact(capabilities) -> bool:
    return ResultType.DENSITY_MATRIX in capabilities.result_types


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_noise_has_its_meaning_or_is_refused_by_name(adapter, kind) -> None:
    circuit, noise = circuit_of(adapter.capabilities), model_of(kind)
    if kind not in adapter.capabilities.noise:
        with pytest.raises(UnsupportedError, match=f"has no {kind.replace('_', ' ')} noise") as caught:
            run(adapter, circuit, noise)
        assert caught.value.feature == f"{kind} noise"
        return
    expected = noisy_distribution(circuit, noise).to_dict()
    assert_drawn_from(run(adapter, circuit, noise, shots=SHOTS, seed=1), expected)
    if is_exact(adapter.capabilities):
        assert_equal(run(adapter, circuit, noise), expected)


def test_every_gate_has_noise(adapter) -> None:
    if not is_exact(adapter.capabilities) or not adapter.capabilities.noise:
        return
    noise, rng = NoiseModel().depolarizing(0.1).amplitude_damping(0.05), random.Random(1)
    for name, gate in GATES.items():
        size = max(gate.num_qubits, 1)
        circuit = Circuit(size)
        for qubit in range(size):
            circuit.ry(0.3 + qubit, qubit)
        circuit.gate(name, range(gate.num_qubits), [rng.uniform(0, 6) for _ in range(gate.num_params)])
        for qubit in range(size):
            circuit.rx(0.5, qubit)
        circuit.measure_all()
        assert_equal(run(adapter, circuit, noise), noisy_distribution(circuit, noise).to_dict(), name)


DYNAMIC = {
    "conditions": Circuit(3, 3)
    .h(0)
    .cx(0, 1)
    .measure(0, 0)
    .x(2, when={0: 1})
    .h(1, when={0: 0})
    .measure(1, 1)
    .measure(2, 2),
    "reset": Circuit(2, 3).h(0).cx(0, 1).measure(0, 0).reset(0).h(0).measure(0, 1).measure(1, 2),
    "measured twice": Circuit(2, 4).h(0).cx(0, 1).measure(0, 0).measure(0, 1).measure(1, 2).measure(1, 3),
    "loop": Circuit(1, 3)
    .h(0)
    .measure(0, 0)
    .while_({0: 1})
    .h(0)
    .measure(0, 0)
    .set([1, 2], Expression("+", (bits(1, 2), 1)))
    .end(),
}


@pytest.mark.parametrize("name", DYNAMIC)
def test_noise_of_dynamic_circuits_is_exact(adapter, name) -> None:
    if not is_exact(adapter.capabilities) or not adapter.capabilities.noise:
        return
    circuit = DYNAMIC[name]
    noise = NoiseModel().depolarizing(0.1).phase_damping(0.2).readout_error(0.1, 0.2, qubits=[0])
    expected = noisy_distribution(circuit, noise).to_dict()
    assert_equal(run(adapter, circuit, noise), expected)
    assert_drawn_from(run(adapter, circuit, noise, shots=SHOTS, seed=2), expected)


def test_noise_without_probability_changes_nothing(adapter) -> None:
    if not adapter.capabilities.noise:
        return
    circuit, nothing = circuit_of(adapter.capabilities), NoiseModel()
    for kind in adapter.capabilities.noise:
        model = model_of(kind, 0.0)
        nothing = NoiseModel(channels=nothing.channels + model.channels, readout=nothing.readout + model.readout)
    ideal = noisy_distribution(circuit, NoiseModel()).to_dict()
    assert_drawn_from(run(adapter, circuit, nothing, shots=SHOTS, seed=3), ideal)


def test_certain_noise_is_certain(adapter) -> None:
    if not {"bit_flip", READOUT} <= set(adapter.capabilities.noise):
        return
    circuit = Circuit(2).x(0).id(1).measure_all()
    assert dict(run(adapter, circuit, NoiseModel().bit_flip(1.0), shots=10)) == {"10": 10}
    assert dict(run(adapter, circuit, NoiseModel().readout_error(1.0, 0.0), shots=10)) == {"11": 10}


def test_an_outcome_on_the_way_is_written_although_no_shot_misreads_it(adapter) -> None:
    if READOUT not in adapter.capabilities.noise:
        return
    circuit, noise = Circuit(1, 2).x(0).measure(0, 0).x(0).measure(0, 1), NoiseModel().readout_error(1e-9, 1e-9)
    for seed in range(3):
        assert run(adapter, circuit, noise, shots=1, seed=seed).to_dict() == {"01": 1}


def test_the_density_matrix_and_expectation_values_have_the_noise(adapter) -> None:
    if not is_exact(adapter.capabilities) or not adapter.capabilities.noise:
        return
    circuit, noise = Circuit(2).h(0).cx(0, 1), NoiseModel().depolarizing(0.3, gates=["cx"])
    density = np.asarray(run(adapter, circuit, noise, result=ResultType.DENSITY_MATRIX))
    zz = np.diag([1, -1, -1, 1])
    value = run(adapter, circuit, noise, result=ResultType.EXPECTATION, observables=observable_list("ZZ"))
    kept = (1 - 4 * 0.3 / 3) ** 2
    assert np.trace(density @ zz).real == pytest.approx(kept, abs=1e-12)
    assert float(value) == pytest.approx(kept, abs=1e-12)


def test_density_matrices_after_measurements_have_the_noise(adapter) -> None:
    """Their diagonal is the distribution of all qubits, measured at the end."""
    if not is_exact(adapter.capabilities) or not adapter.capabilities.noise:
        return
    noise = NoiseModel().depolarizing(0.1).amplitude_damping(0.2)
    circuit = Circuit(2, 2).ry(0.7, 0).measure(0, 0).h(1, when={0: 1}).cx(1, 0).reset(0).rx(0.4, 0).measure(1, 1)
    density = np.asarray(run(adapter, circuit, noise, result=ResultType.DENSITY_MATRIX))
    expected = noisy_distribution(circuit.with_operations(list(circuit.operations)).measure_all(), noise).to_dict()
    assert_equal({f"{index:02b}": float(density[index, index].real) for index in range(4)}, expected)


def test_every_point_of_a_sweep_has_the_noise(adapter) -> None:
    if not is_exact(adapter.capabilities) or not adapter.capabilities.noise:
        return
    circuit = Circuit(2).rx(parameter("theta"), 0).cx(0, 1).measure_all()
    points, details = Points({"theta": [0.0, 0.5, 1.0]}, 3), RunDetails(noise=NoiseModel().depolarizing(0.1))
    results = list(adapter.run_points(circuit, points, shots=None, details=details))
    for theta, result in zip((0.0, 0.5, 1.0), results, strict=True):
        assert_equal(result, noisy_distribution(circuit.bind(theta=theta), details.noise).to_dict())


@pytest.mark.parametrize("kind", [ResultType.STATEVECTOR, ResultType.AMPLITUDES])
def test_a_noisy_run_has_no_state_vector(adapter, kind) -> None:
    if not adapter.capabilities.noise or kind not in adapter.capabilities.result_types:
        return
    details = {"bitstrings": ("0",)} if kind is ResultType.AMPLITUDES else {}
    with pytest.raises(UnsupportedError, match="noisy run has no"):
        run(adapter, Circuit(1).x(0), NoiseModel().bit_flip(0.1), result=kind, **details)


def test_pauli_noise_is_what_simulators_of_stabilizers_have(adapter) -> None:
    if adapter.capabilities.gates != "universal" and adapter.capabilities.noise:
        assert set(adapter.capabilities.noise) <= {*map(str, PAULI), READOUT}


def run(adapter, circuit, noise, *, shots=None, seed=None, result=None, **details):
    return adapter.run(circuit, shots=shots, seed=seed, result=result, details=RunDetails(noise=noise, **details))


def assert_equal(found, expected, what="") -> None:
    assert max(abs(found.get(key, 0) - expected.get(key, 0)) for key in {*found, *expected}) < 1e-12, what


def test_nobody_is_recommended_for_a_density_matrix_that_would_not_fit(adapter, monkeypatch) -> None:
    if not is_exact(adapter.capabilities) or not adapter.capabilities.noise:
        return
    monkeypatch.setattr(type(adapter), "available_bytes", lambda _: 2**30)
    circuit = Circuit(16).h(0).measure_all()
    with pytest.raises(LimitError, match="16 qubits do not fit") as caught:
        run(adapter, circuit, NoiseModel().amplitude_damping(0.1), shots=10)
    assert caught.value.supported_by == []
    with pytest.raises(LimitError, match="16 qubits") as caught:
        run(adapter, circuit, NoiseModel().bit_flip(0.1), shots=10)
    assert all(SIMULATORS[name].capabilities.bytes_per_amplitude is None for name in caught.value.supported_by)
