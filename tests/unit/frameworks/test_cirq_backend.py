"""Our backends as Cirq expects samplers to be."""

from __future__ import annotations

import cirq
import numpy as np
import pytest
import sympy
from support.fake import Does, fake
from support.measuring import Measuring

from gateway.backends.base import Backend
from gateway.backends.client import BackendClient
from gateway.errors import CircuitInvalidError, SimulatorError, UnsupportedError
from gateway.frameworks.cirq.backend import GatewaySampler

A, B = cirq.LineQubit.range(2)
T = sympy.Symbol("t")


@pytest.fixture(scope="module")
def sampler(simulator: Backend) -> GatewaySampler:
    return GatewaySampler(simulator, seed=11)


def test_it_is_a_sampler_whose_records_have_cirqs_shape(sampler: GatewaySampler):
    circuit = cirq.Circuit(cirq.X(B), cirq.measure(A, B, key="both"), cirq.measure(B, key="one"))
    result = sampler.run(circuit, repetitions=5)
    assert isinstance(sampler, cirq.Sampler)
    assert result.records["both"].shape == (5, 1, 2)
    np.testing.assert_array_equal(result.measurements["both"], [[0, 1]] * 5)
    np.testing.assert_array_equal(result.measurements["one"], [[1]] * 5)
    assert result.histogram(key="both") == {0b01: 5}
    assert result.repetitions == 5


def test_keys_of_one_shot_belong_together(sampler: GatewaySampler):
    circuit = cirq.Circuit(cirq.H(A), cirq.CNOT(A, B), cirq.measure(A, key="a"), cirq.measure(B, key="b"))
    result = sampler.run(circuit, repetitions=200)
    np.testing.assert_array_equal(result.measurements["a"], result.measurements["b"])
    assert 50 < result.measurements["a"].sum() < 150
    assert 20 < result.measurements["a"][:100].sum() < 80


def test_a_key_measured_again_gives_another_record(sampler: GatewaySampler):
    circuit = cirq.Circuit(cirq.measure(A, key="m"), cirq.X(A), cirq.measure(A, key="m"))
    result = sampler.run(circuit, repetitions=3)
    np.testing.assert_array_equal(result.records["m"], [[[0], [1]]] * 3)


def test_conditions_look_at_the_record_they_name(sampler: GatewaySampler):
    latest = cirq.KeyCondition(cirq.MeasurementKey("m"))
    first = cirq.KeyCondition(cirq.MeasurementKey("m"), index=0)
    circuit = cirq.Circuit(
        cirq.measure(A, key="m"), cirq.X(A), cirq.measure(A, key="m"),
        cirq.X(B).with_classical_controls(latest), cirq.measure(B, key="after latest"),
        cirq.X(B).with_classical_controls(first), cirq.measure(B, key="after first"),
    )  # fmt: skip
    result = sampler.run(circuit, repetitions=2)
    wanted = cirq.Simulator().run(circuit, repetitions=2)
    assert {key: values.tolist() for key, values in result.records.items()} == {
        key: values.tolist() for key, values in wanted.records.items()
    }


def test_a_sweep_is_one_batch_with_a_result_for_each_point(sampler: GatewaySampler, monkeypatch: pytest.MonkeyPatch):
    sent = []
    send = BackendClient.send
    monkeypatch.setattr(BackendClient, "send", lambda self, request: sent.append(request) or send(self, request))
    circuit = cirq.Circuit(cirq.X(A) ** T, cirq.measure(A, key="m"))
    results = sampler.run_sweep(circuit, cirq.Linspace("t", 0, 2, 3), repetitions=4)
    assert [result.measurements["m"].sum() for result in results] == [0, 4, 0]
    assert [result.params["t"] for result in results] == [0, 1, 2]
    assert [(len(request.circuit_list()), request.num_results) for request in sent] == [(1, 3)]


@pytest.mark.parametrize("backend", ["simulator", "measuring"])
def test_a_sweep_over_several_symbols_is_cirqs_own(simulator: Backend, backend: str):
    s = sympy.Symbol("s")
    circuit = cirq.Circuit(
        cirq.X(A) ** (T + 1), cirq.X(B) ** (2 * s - T), cirq.measure(A, key="m"),
        cirq.X(A).with_classical_controls("m"), cirq.measure(B, A, key="n"),
    )  # fmt: skip
    points = cirq.Linspace("t", 0, 4, 5) * cirq.Points("s", [0.5, 1.0])
    sampler = GatewaySampler(simulator if backend == "simulator" else Measuring(simulator))
    ours, theirs = (one.run_sweep(circuit, points, repetitions=3) for one in (sampler, cirq.Simulator()))
    assert [{key: found.tolist() for key, found in result.records.items()} for result in ours] == [
        {key: found.tolist() for key, found in result.records.items()} for result in theirs
    ]


def test_a_symbol_whose_name_no_parameter_can_have_takes_its_own_values(sampler: GatewaySampler):
    circuit = cirq.Circuit(cirq.X(A) ** sympy.Symbol("a-b"), cirq.measure(A, key="m"))
    points = cirq.Zip(cirq.Points("a-b", [0, 1]), cirq.Points("a_b", [1, 0]))  # the circuit has no a_b
    results = sampler.run_sweep(circuit, points, repetitions=4)
    assert [result.measurements["m"].sum() for result in results] == [0, 4]


def test_points_that_change_more_than_angles_are_circuits_of_their_own(sampler: GatewaySampler):
    circuit = cirq.Circuit(cirq.X(A) ** sympy.sin(T), cirq.measure(A, key="m"))
    results = sampler.run_sweep(circuit, cirq.Points("t", [0, np.pi / 2, np.pi]), repetitions=4)
    assert [result.measurements["m"].sum() for result in results] == [0, 4, 0]
    symbolic = [{"t": sympy.Symbol("u"), "u": 0.0}, {"t": sympy.Symbol("u"), "u": np.pi / 2}]
    results = sampler.run_sweep(circuit, symbolic, repetitions=4)
    assert [result.measurements["m"].sum() for result in results] == [0, 4]


def test_the_other_ways_to_sample_work(sampler: GatewaySampler):
    circuit = cirq.Circuit(cirq.X(A) ** T, cirq.measure(A, key="m"))
    frame = sampler.sample(circuit, repetitions=2, params=[{"t": 0}, {"t": 1}])
    assert frame["m"].tolist() == [0, 0, 1, 1]
    batch = sampler.run_batch([circuit, circuit], params_list=[{"t": 1}, {"t": 0}], repetitions=[2, 3])
    assert [[result.measurements["m"].sum() for result in results] for results in batch] == [[2], [0]]
    means = sampler.sample_expectation_values(cirq.Circuit(cirq.H(A)), [cirq.X(A)], num_samples=10)
    assert means == [[1.0]]


def test_the_frozen_circuit_and_idle_points_are_taken(sampler: GatewaySampler):
    circuit = cirq.FrozenCircuit(cirq.measure(A, key="m"))
    assert sampler.run(circuit, repetitions=0).records["m"].shape == (0, 1, 1)


def test_a_seed_makes_the_sequence_of_runs_repeatable(simulator: Backend):
    circuit = cirq.Circuit(cirq.H.on_each(A, B), cirq.measure(A, B, key="m"))
    runs = [[sampler.run(circuit, repetitions=50) for _ in range(2)] for sampler in
            (GatewaySampler(simulator, seed=4), GatewaySampler(simulator, seed=4))]  # fmt: skip
    assert runs[0] == runs[1]
    assert runs[0][0] != runs[0][1]


def test_what_cannot_be_sampled_is_refused(sampler: GatewaySampler):
    with pytest.raises(ValueError, match="no measurements to sample"):
        sampler.run(cirq.Circuit(cirq.X(A)))
    with pytest.raises(CircuitInvalidError, match="parameter 't' has no value"):
        sampler.run(cirq.Circuit(cirq.X(A) ** T, cirq.measure(A)))
    with pytest.raises(UnsupportedError, match="DepolarizingChannel"):
        sampler.run(cirq.Circuit(cirq.depolarize(0.1).on(A), cirq.measure(A)))


def test_an_error_of_the_simulator_is_raised(failing: Backend):
    circuit = fake(Does.RAISE).to("cirq")
    with pytest.raises(SimulatorError, match="fake"):
        GatewaySampler(failing).run(circuit)


def test_a_sweep_longer_than_a_request_is_several_requests(failing: Backend):
    circuit = cirq.Circuit(cirq.Z(B) ** T, fake(Does.ECHO, 5).to("cirq"))
    results = GatewaySampler(failing, seed=1).run_sweep(circuit, cirq.Linspace("t", 0, 1, 23), repetitions=2)
    assert [result.params["t"] for result in results] == pytest.approx(np.linspace(0, 1, 23).tolist())
    assert {result.repetitions for result in results} == {2}


def test_shots_are_in_random_order(sampler: GatewaySampler):
    circuit = cirq.Circuit(cirq.H(A), cirq.measure(A, key="m"))
    column = sampler.run(circuit, repetitions=400).measurements["m"][:, 0]
    assert 100 < np.count_nonzero(np.diff(column.astype(int))) < 300  # 200 expected; sorted it would be 1
