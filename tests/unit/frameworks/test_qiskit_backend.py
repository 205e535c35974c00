"""Our backends as Qiskit expects backends and primitives to be."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister, transpile
from qiskit.circuit import Clbit, Gate, Parameter, ParameterVector
from qiskit.circuit.classical import expr
from qiskit.circuit.library import efficient_su2
from qiskit.exceptions import QiskitError
from qiskit.primitives import BackendEstimatorV2, StatevectorEstimator, StatevectorSampler
from qiskit.providers import BackendV2, JobError, JobStatus, JobTimeoutError
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit.quantum_info import SparseObservable, SparsePauliOp
from support.fake import Does, fake
from support.measuring import Measuring

from gateway.backends import batch
from gateway.backends.base import Backend
from gateway.backends.client import BackendClient
from gateway.errors import JobCancelled, JobTimeout, RequestError, SimulatorError, UnsupportedError
from gateway.frameworks.qiskit import GatewayBackend, GatewayEstimator, GatewaySampler
from gateway.protocol.messages import RunRequest


@pytest.fixture(scope="module")
def backend(simulator: Backend) -> GatewayBackend:
    return GatewayBackend(simulator)


def bell() -> QuantumCircuit:
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    return circuit


def measured_bell() -> QuantumCircuit:
    circuit = bell()
    circuit.measure_all()
    return circuit


# ---------------------------------------------------------------------------- BackendV2


@pytest.mark.needs("qulacs")
def test_it_says_what_it_is(backend: GatewayBackend):
    assert isinstance(backend, BackendV2)
    assert (backend.name, backend.version) == ("qulacs", 2)
    assert backend.backend_version.startswith("0.6")
    assert backend.coupling_map is None
    assert backend.max_circuits is None
    flow = {"if_else", "for_loop", "switch_case", "while_loop", "break_loop", "continue_loop", "box", "store"}
    assert {"h", "cx", "rzz", "ccx", "unitary", "delay", "measure", "reset", *flow} <= set(backend.operation_names)
    assert GatewayBackend(backend._backend, num_qubits=5).num_qubits == 5


def test_counts_have_qiskits_bit_order_and_spaces_between_registers(backend: GatewayBackend):
    c, d = ClassicalRegister(2, "c"), ClassicalRegister(3, "d")
    circuit = QuantumCircuit(QuantumRegister(3), c, d)
    circuit.x(0)
    circuit.measure(0, c[0])
    circuit.measure(0, d[2])
    assert backend.run(circuit, shots=10).result().get_counts() == {"100 01": 10}


def test_several_circuits_are_found_by_name_index_and_object(backend: GatewayBackend):
    circuits = [QuantumCircuit(1, 1, name=f"number {value}") for value in range(2)]
    circuits[1].x(0)
    for circuit in circuits:
        circuit.measure(0, 0)
    result = backend.run(circuits, shots=7).result()
    assert result.get_counts() == [{"0": 7}, {"1": 7}]
    assert result.get_counts("number 1") == result.get_counts(circuits[1]) == result.get_counts(1) == {"1": 7}
    assert result.success
    assert result.results[0].shots == 7


@pytest.mark.parametrize("level", range(4))
def test_a_transpiled_circuit_runs(backend: GatewayBackend, level: int):
    circuit = efficient_su2(4, reps=1).assign_parameters(np.linspace(0.1, 3, 16))
    circuit.measure_all()
    seen = [
        backend.run(found, shots=4000, seed_simulator=1).result().get_counts()
        for found in (circuit, transpile(circuit, backend, optimization_level=level, seed_transpiler=1))
    ]
    distance = sum(abs(seen[0].get(key, 0) - seen[1].get(key, 0)) for key in seen[0] | seen[1]) / 8000
    assert distance < 0.08


def test_dynamic_circuits_are_transpiled_and_run(backend: GatewayBackend):
    circuit = QuantumCircuit(2, 2)
    circuit.h(0)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)) as otherwise:
        circuit.x(1)
    with otherwise:
        circuit.reset(1)
    with circuit.for_loop(range(2)):
        circuit.x(0)
    circuit.measure(1, 1)
    counts = backend.run(transpile(circuit, backend), shots=200).result().get_counts()
    assert set(counts) == {"00", "11"}


def test_gates_without_an_equivalent_elsewhere_are_transpiled(backend: GatewayBackend):
    circuit = QuantumCircuit(3, 3)
    circuit.append(Gate("mystery", 1, []), [0])
    with pytest.raises(UnsupportedError, match="operation 0: mystery") as caught:
        backend.run(circuit)
    assert isinstance(caught.value, QiskitError)


def test_the_same_seed_gives_the_same_counts_and_memory(backend: GatewayBackend):
    first, second = (backend.run(measured_bell(), shots=100, seed_simulator=5, memory=True).result() for _ in range(2))
    assert first.get_counts() == second.get_counts()
    assert first.get_memory() == second.get_memory()
    assert first.results[0].seed == 5


def test_memory_is_a_sample_in_random_order_with_these_counts(backend: GatewayBackend):
    result = backend.run(measured_bell(), shots=400, memory=True).result()
    memory = result.get_memory()
    assert {key: memory.count(key) for key in set(memory)} == result.get_counts()
    runs = sum(a != b for a, b in pairwise(memory))
    assert 100 < runs < 300  # 200 expected; sorted it would be 1


def test_circuits_that_measure_nothing_have_zeros(backend: GatewayBackend):
    registers = QuantumCircuit(QuantumRegister(2), ClassicalRegister(1, "c"), ClassicalRegister(2, "d"))
    registers.h(0)
    measured = QuantumCircuit(1, 1)
    measured.x(0)
    measured.measure(0, 0)
    result = backend.run([registers, measured, QuantumCircuit()], shots=9, memory=True).result()
    assert result.success
    assert result.get_counts(0) == {"00 0": 9}
    assert result.get_counts(1) == {"1": 9}
    assert result.get_memory(2) == ["0"] * 9


def test_a_job_without_circuits_has_an_empty_result(backend: GatewayBackend):
    result = backend.run([]).result()
    assert (result.success, result.results) == (True, [])


@pytest.mark.parametrize("level", range(4))
def test_a_transpiled_unitary_stays_one_and_runs(backend: GatewayBackend, level: int):
    rotation = np.array([[0.6, -0.8], [0.8, 0.6]])
    circuit = QuantumCircuit(1, 1)
    circuit.unitary(rotation, 0)
    circuit.measure(0, 0)
    transpiled = transpile(circuit, backend, optimization_level=level)
    counts = backend.run(transpiled, shots=10_000, seed_simulator=1).result().get_counts()
    assert abs(counts["1"] - 6400) < 6 * 48


def test_a_transpiled_circuit_keeps_its_delays_and_runs(backend: GatewayBackend):
    circuit = QuantumCircuit(1, 1)
    circuit.x(0)
    circuit.delay(100, 0, "ns")
    circuit.measure(0, 0)
    transpiled = transpile(circuit, backend)
    assert transpiled.count_ops() == {"x": 1, "delay": 1, "measure": 1}
    assert backend.run(transpiled, shots=5).result().get_counts() == {"1": 5}


def test_a_circuit_scheduled_for_a_machine_runs(backend: GatewayBackend):
    machine = GenericBackendV2(3, control_flow=True, noise_info=True, seed=1)
    circuit = QuantumCircuit(3, 3)
    circuit.x(0)
    circuit.cx(0, 2)
    circuit.measure([0, 1, 2], [0, 1, 2])
    scheduled = transpile(circuit, machine, scheduling_method="alap", seed_transpiler=1)
    assert "delay" in scheduled.count_ops()
    assert backend.run(scheduled, shots=5).result().get_counts() == {"101": 5}


def until_zero(circuit: QuantumCircuit) -> None:
    with circuit.while_loop((circuit.clbits[0], 1)):
        circuit.h(0)
        circuit.measure(0, 0)


def at_most_five_times(circuit: QuantumCircuit) -> None:
    with circuit.for_loop(range(5)):
        circuit.x(0)
        circuit.measure(0, 0)
        with circuit.if_test((circuit.clbits[0], 0)):
            circuit.break_loop()
        with circuit.if_test((circuit.clbits[0], 1)):
            circuit.continue_loop()
        circuit.x(0)


def by_a_variable(circuit: QuantumCircuit) -> None:
    flag = circuit.add_var("flag", expr.lift(False))
    circuit.store(flag, expr.lift(circuit.clbits[0]))
    with circuit.if_test(flag):
        circuit.x(0)
    circuit.measure(0, 0)


def in_a_box(circuit: QuantumCircuit) -> None:
    with circuit.box():
        circuit.x(0)
    circuit.measure(0, 0)


@pytest.mark.parametrize("rest", [until_zero, at_most_five_times, by_a_variable, in_a_box])
def test_control_flow_is_transpiled_and_run(backend: GatewayBackend, rest: Callable[[QuantumCircuit], None]):
    circuit = QuantumCircuit(1, 1)
    circuit.x(0)
    circuit.measure(0, 0)
    rest(circuit)
    assert backend.run(transpile(circuit, backend), shots=20).result().get_counts() == {"0": 20}


def test_shots_that_are_none_are_the_default_as_elsewhere_in_qiskit(backend: GatewayBackend):
    assert sum(backend.run(measured_bell(), shots=None).result().get_counts().values()) == 1024


def test_options_have_defaults_and_unknown_ones_are_refused(backend: GatewayBackend):
    assert sum(backend.run(measured_bell()).result().get_counts().values()) == 1024
    with pytest.raises(RequestError, match="there is no option 'shot'"):
        backend.run(measured_bell(), shot=3)


def test_a_job_is_that_of_the_gateway(backend: GatewayBackend):
    job = backend.run(measured_bell(), shots=3)
    assert job.job_id() == job._batch.id == job.result().job_id
    assert job.status() is JobStatus.DONE
    assert (job.done(), job.running(), job.cancelled(), job.in_final_state()) == (True, False, False, True)
    assert job.cancel() is False
    assert job.backend() is backend


def test_a_failed_job_raises_the_gateways_error(failing: Backend):
    job = GatewayBackend(failing).run(fake(Does.RAISE).to("qiskit"), shots=3)
    with pytest.raises(SimulatorError, match="fake") as caught:
        job.result()
    assert isinstance(caught.value, JobError)
    assert job.status() is JobStatus.ERROR


def test_a_circuit_that_fails_leaves_the_others_their_results(failing: Backend):
    circuits = [fake(does, 5).to("qiskit") for does in (Does.ECHO, Does.RAISE)]
    job = GatewayBackend(failing).run(circuits, shots=3)
    result = job.result()
    assert job.status() is JobStatus.DONE
    assert (result.success, result.status) == (False, "PARTIAL COMPLETED")
    assert [part.success for part in result.results] == [True, False]
    assert result.get_counts(0) == {"00000101": 3}
    with pytest.raises(QiskitError, match=r"SimulatorError: .*fake"):
        result.get_counts(1)
    with pytest.raises(QiskitError, match=r"SimulatorError: .*fake"):
        result.get_counts()


def test_a_job_can_be_cancelled(failing: Backend):
    job = GatewayBackend(failing).run(fake(Does.SLEEP, 15).to("qiskit"), shots=3)
    assert job.cancel()
    assert (job.status(), job.cancelled()) == (JobStatus.CANCELLED, True)
    with pytest.raises(JobCancelled, match="cancelled") as caught:
        job.result()
    assert isinstance(caught.value, JobError)


def test_a_run_ends_after_its_timeout(failing: Backend):
    job = GatewayBackend(failing).run(fake(Does.SLEEP, 15).to("qiskit"), shots=3, timeout_s=0.2)
    with pytest.raises(JobTimeout, match=r"0\.2 s") as caught:
        job.result()
    assert isinstance(caught.value, JobError)
    assert job.status() is JobStatus.ERROR


def test_a_result_that_takes_too_long_can_be_waited_for_again(failing: Backend):
    job = GatewayBackend(failing).run(fake(Does.SLEEP, 1.5).to("qiskit"), shots=3)
    with pytest.raises(TimeoutError, match=r"0\.01 s") as caught:
        job.result(timeout=0.01)
    assert isinstance(caught.value, JobTimeoutError)
    assert sum(job.result().get_counts().values()) == 3


# ---------------------------------------------------------------------------- SamplerV2


def test_the_sampler_gives_registers_in_the_shape_of_the_parameters(simulator: Backend):
    c, d = ClassicalRegister(2, "c"), ClassicalRegister(1, "d")
    circuit = QuantumCircuit(QuantumRegister(3), c, d)
    angle = Parameter("angle")
    circuit.ry(angle, 0)
    circuit.x(2)
    circuit.measure([0, 1, 2], [0, 1, 2])
    values = np.array([[0, np.pi, 2 * np.pi], [np.pi, 3 * np.pi, 0]])
    data = GatewaySampler(simulator).run([(circuit, values[..., np.newaxis], 50)]).result()[0].data
    assert data.shape == data.c.shape == data.d.shape == (2, 3)
    assert data.c.num_shots == 50
    assert [[data.c.get_counts((i, j)) for j in range(3)] for i in range(2)] == [
        [{"00": 50}, {"01": 50}, {"00": 50}],
        [{"01": 50}, {"01": 50}, {"00": 50}],
    ]
    assert data.d.get_counts((1, 1)) == {"1": 50}


def test_the_sampler_keeps_registers_together_shot_by_shot(simulator: Backend):
    c, d = ClassicalRegister(1, "c"), ClassicalRegister(1, "d")
    circuit = QuantumCircuit(QuantumRegister(2), c, d)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure([0, 1], [0, 1])
    data = GatewaySampler(simulator, default_shots=300).run([circuit]).result()[0].data
    assert np.array_equal(data.c.array, data.d.array)
    half = data.c.slice_shots(range(150)).get_counts()
    assert min(half.values()) > 40


def test_the_sampler_takes_several_pubs_with_shots_of_their_own(simulator: Backend):
    result = GatewaySampler(simulator, seed=3).run([(measured_bell(), None, 10), measured_bell()], shots=20).result()
    assert [pub.data.meas.num_shots for pub in result] == [10, 20]
    assert set(result[1].data.meas.get_counts()) <= {"00", "11"}


def test_the_sampler_finds_registers_that_share_clbits_or_are_out_of_order(simulator: Backend):
    bits = [Clbit() for _ in range(9)]
    circuit = QuantumCircuit(QuantumRegister(1), bits)
    for name, members in (("wide", bits), ("turned", [bits[8], bits[0]]), ("none", [])):
        circuit.add_register(ClassicalRegister(name=name, bits=members))
    circuit.x(0)
    circuit.measure(0, 8)
    data = GatewaySampler(simulator).run([circuit], shots=3).result()[0].data
    assert data.wide.get_counts() == {"100000000": 3}
    assert data.turned.get_counts() == {"01": 3}
    assert (data.none.num_bits, data.none.num_shots) == (0, 3)


def nothing_measured() -> QuantumCircuit:
    circuit = QuantumCircuit(QuantumRegister(2), ClassicalRegister(3, "c"), ClassicalRegister(1, "d"))
    circuit.h(0)
    return circuit


def test_pubs_that_measure_nothing_have_zeros_as_in_qiskits_reference(simulator: Backend):
    pubs = [nothing_measured(), measured_bell()]
    ours, theirs = (
        sampler.run(pubs, shots=6).result() for sampler in (GatewaySampler(simulator), StatevectorSampler())
    )
    for register in ("c", "d"):
        assert ours[0].data[register].get_counts() == theirs[0].data[register].get_counts()
    assert ours[0].join_data().get_counts() == {"0000": 6}
    assert set(ours[1].data.meas.get_counts()) <= {"00", "11"}


def test_a_pub_without_registers_has_no_data_and_a_warning_says_so(simulator: Backend):
    with pytest.warns(UserWarning, match="PUB 1 has no classical register"):
        result = GatewaySampler(simulator).run([measured_bell(), bell()], shots=4).result()
    assert result[0].data.meas.num_shots == 4
    assert len(result[1].data) == 0


def test_a_pub_that_fails_keeps_the_others_their_results(failing: Backend):
    unknown = QuantumCircuit(1, 1)
    unknown.append(Gate("mystery", 1, []), [0])
    good, bad = (fake(does, 5).to("qiskit") for does in (Does.ECHO, Does.RAISE))
    job = GatewaySampler(failing).run([good, bad, unknown, good], shots=3)
    result = job.result()
    assert job.status() is JobStatus.DONE
    assert len(result) == 4
    assert [result[place].data.c.get_counts() for place in (0, 3)] == [{"00000101": 3}] * 2
    assert "SimulatorError" in repr(result[1])
    with pytest.raises(SimulatorError, match="fake"):
        _ = result[1].data
    with pytest.raises(SimulatorError, match="fake"):
        result[1].join_data()
    with pytest.raises(JobError, match="operation 0: mystery"):
        _ = result[2].metadata


def test_a_job_whose_pubs_all_fail_raises_their_error(failing: Backend):
    job = GatewaySampler(failing).run([fake(Does.RAISE).to("qiskit")] * 2, shots=3)
    with pytest.raises(SimulatorError, match="fake") as caught:
        job.result()
    assert isinstance(caught.value, JobError)
    assert job.status() is JobStatus.ERROR
    assert (job.done(), job.in_final_state()) == (False, True)


def test_a_long_job_of_a_primitive_is_cancelled_with_its_run(failing: Backend, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(batch, "SHORT_SHOTS", 2)
    job = GatewaySampler(failing).run([fake(Does.SLEEP, 15).to("qiskit")], shots=3)
    with pytest.raises(JobTimeoutError, match=r"0\.01 s"):
        job.result(timeout=0.01)
    assert job.cancel()
    assert (job.cancelled(), job.running(), job.in_final_state()) == (True, False, True)
    with pytest.raises(JobCancelled, match="cancelled"):
        job.result()


def test_a_short_job_of_a_primitive_is_waited_for(failing: Backend):
    job = GatewaySampler(failing).run([fake(Does.SLEEP, 1).to("qiskit")], shots=3)
    with pytest.raises(JobTimeoutError, match=r"0\.01 s"):
        job.result(timeout=0.01)
    assert (job.running(), job.cancel()) == (True, False)
    assert job.result()[0].data.c.num_shots == 3
    assert (job.done(), job.status()) == (True, JobStatus.DONE)


def test_the_samplers_options_may_be_changed(failing: Backend):
    sampler = GatewaySampler(failing)
    sampler.options.default_shots = 12
    sampler.options.timeout_s = 0.2
    assert sampler.run([fake(Does.ECHO, 5).to("qiskit")]).result()[0].data.c.num_shots == 12
    with pytest.raises(TimeoutError, match=r"0\.2 s"):
        sampler.run([fake(Does.SLEEP, 15).to("qiskit")]).result()


# ---------------------------------------------------------------------------- EstimatorV2


@pytest.fixture(params=["asking", "measuring"])
def estimating(request: pytest.FixtureRequest, simulator: Backend) -> Backend:
    """A simulator that computes expectation values, and one whose circuits have to measure observables."""
    return simulator if request.param == "asking" else Measuring(simulator)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[RunRequest]:
    """All requests that clients send."""
    requests: list[RunRequest] = []
    send = BackendClient.send
    monkeypatch.setattr(BackendClient, "send", lambda self, request: requests.append(request) or send(self, request))
    return requests


class Opaque(Gate):
    """A gate that has a definition only once its parameter has a value: X if that is 1."""

    def __init__(self, value: float | Parameter) -> None:
        super().__init__("opaque", 1, [value])

    def _define(self) -> None:
        if isinstance(self.params[0], Parameter):
            return
        self.definition = QuantumCircuit(1)
        if self.params[0] == 1:
            self.definition.x(0)


OBSERVABLES = [
    SparsePauliOp(["ZZ", "XX", "YY", "IZ", "II"], [1.0, 0.5, -0.25, 2.0, 0.125]),
    SparsePauliOp(["ZI", "XY"], [0.3, 0.7]),
    SparsePauliOp(["YX", "XI"]),
]


def ansatz() -> QuantumCircuit:
    return efficient_su2(2, reps=1)


def test_exact_values_are_those_of_qiskits_reference(estimating: Backend):
    values = np.random.default_rng(1).uniform(-3, 3, (4, 1, 8))
    pub = (ansatz(), OBSERVABLES, values)
    ours = GatewayEstimator(estimating).run([pub]).result()[0]
    theirs = StatevectorEstimator().run([pub]).result()[0]
    assert ours.data.evs.shape == theirs.data.evs.shape == (4, 3)
    np.testing.assert_allclose(ours.data.evs, theirs.data.evs, atol=1e-9)
    np.testing.assert_array_equal(ours.data.stds, 0)
    assert ours.metadata["shots"] is None


@pytest.mark.parametrize(
    ("observables", "values", "shape"),
    [
        (OBSERVABLES[0], np.zeros(8), ()),
        (OBSERVABLES[:1], np.zeros((5, 8)), (5,)),
        (OBSERVABLES, np.zeros((3, 8)), (3,)),
        ([[op] for op in OBSERVABLES], np.zeros((2, 8)), (3, 2)),
        (OBSERVABLES[0], np.zeros((2, 2, 8)), (2, 2)),
    ],
)
def test_pubs_broadcast_as_numpy_does(estimating: Backend, observables: object, values: np.ndarray, shape: tuple):
    data = GatewayEstimator(estimating).run([(ansatz(), observables, values)]).result()[0].data
    assert data.evs.shape == data.stds.shape == data.shape == shape


def test_projectors_are_observables_too(estimating: Backend):
    circuit = QuantumCircuit(2)
    circuit.ry(1.1, 0)
    circuit.rx(0.4, 1)
    observable = SparseObservable.from_list([("0r", 0.5), ("+1", 1.5), ("lZ", 2.0), ("-I", 0.25), ("1X", 1.0)])
    ours = GatewayEstimator(estimating).run([(circuit, observable)]).result()[0].data.evs
    in_paulis = SparsePauliOp.from_sparse_observable(observable)
    theirs = StatevectorEstimator().run([(circuit, in_paulis)]).result()[0].data.evs
    np.testing.assert_allclose(ours, theirs, atol=1e-9)


def test_a_precision_is_kept_with_shots_and_reported(estimating: Backend):
    pub = (bell(), [SparsePauliOp(["ZI", "XX"]), SparsePauliOp("ZZ")])
    result = GatewayEstimator(estimating, seed=1).run([pub], precision=0.05).result()[0]
    assert result.metadata["shots"] == 400
    assert result.data.stds[0] == pytest.approx(0.05, rel=0.1)
    assert abs(result.data.evs[0] - 1) < 6 * 0.05
    assert (result.data.evs[1], result.data.stds[1]) == (1, 0)


def test_paulis_that_can_be_measured_together_are(simulator: Backend, sent: list[RunRequest]):
    observable = SparsePauliOp(["ZZ", "ZI", "IZ", "XX", "IX", "YI"])
    GatewayEstimator(Measuring(simulator)).run([(bell(), observable)]).result()
    assert [len(request.circuit_list()) for request in sent] == [3]


def test_a_sweep_with_several_observables_is_one_request(simulator: Backend, sent: list[RunRequest]):
    pub = (ansatz(), OBSERVABLES, np.random.default_rng(1).uniform(-3, 3, (7, 1, 8)))
    ours = GatewayEstimator(simulator).run([pub, (bell(), "ZZ")]).result()
    theirs = StatevectorEstimator().run([pub, (bell(), "ZZ")]).result()
    for mine, reference in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine.data.evs, reference.data.evs, atol=1e-9)
    sweep, point = sent
    assert (len(sweep.circuit_list()), sweep.num_results, len(sweep.observables)) == (1, 7, 3)
    assert (len(point.circuit_list()), point.parameters, point.result) == (1, None, "expectation")


def test_a_sampled_sweep_is_one_request(simulator: Backend, sent: list[RunRequest]):
    angles = ParameterVector("θ", 12)
    circuit = QuantumCircuit(12, 12)
    for qubit, angle in enumerate(angles):
        circuit.ry(angle * np.pi, qubit)
    circuit.measure(range(12), range(12))
    values = np.random.default_rng(2).integers(0, 2, (3, 5, 12))
    data = GatewaySampler(simulator).run([(circuit, values, 4)]).result()[0].data.c
    assert data.shape == (3, 5)
    for place in np.ndindex(3, 5):
        assert data.get_counts(place) == {"".join(map(str, values[place][::-1])): 4}
    assert [(len(request.circuit_list()), request.num_results) for request in sent] == [(1, 15)]


def test_a_sweep_that_measures_nothing_has_zeros(simulator: Backend):
    circuit = QuantumCircuit(1, 2)
    circuit.rx(Parameter("a"), 0)
    data = GatewaySampler(simulator).run([(circuit, [0.1, 0.2, 0.3], 4)]).result()[0].data.c
    assert [data.get_counts(k) for k in range(3)] == [{"00": 4}] * 3


def test_more_sweeps_than_requests_may_be_are_one_request(simulator: Backend, sent: list[RunRequest]):
    circuit = QuantumCircuit(1, 1)
    circuit.rx(Parameter("a"), 0)
    circuit.measure(0, 0)
    result = GatewaySampler(simulator).run([(circuit, [0.0, np.pi], 3)] * 20).result()
    assert [[pub.data.c.get_counts(k) for k in range(2)] for pub in result] == [[{"0": 3}, {"1": 3}]] * 20
    assert [request.num_results for request in sent] == [40]


def test_a_circuit_that_needs_its_values_to_be_converted_has_them(simulator: Backend):
    loops = QuantumCircuit(1, 1)
    angle = Parameter("a")
    loops.append(Opaque(angle), [0])
    loops.measure(0, 0)
    data = GatewaySampler(simulator).run([(loops, [0.0, 1.0], 3)]).result()[0].data.c
    assert [data.get_counts(k) for k in range(2)] == [{"0": 3}, {"1": 3}]


def test_observables_that_differ_from_point_to_point_are_measured_in_one_request(
    simulator: Backend, sent: list[RunRequest]
):
    observables = [SparsePauliOp.from_list([("ZZ", 0.1 * k), ("XI", 1.0)]) for k in range(1, 21)]
    pub = (ansatz(), observables, np.random.default_rng(1).uniform(-3, 3, (20, 8)))
    ours = GatewayEstimator(simulator).run([pub]).result()[0].data.evs
    np.testing.assert_allclose(ours, StatevectorEstimator().run([pub]).result()[0].data.evs, atol=1e-9)
    assert [request.result for request in sent] == [None]


def test_many_pubs_of_different_observables_are_one_request(simulator: Backend, sent: list[RunRequest]):
    pubs = [(bell(), {"ZZ": float(k)}) for k in range(1, 31)]
    result = GatewayEstimator(simulator).run(pubs).result()
    np.testing.assert_allclose([pub.data.evs for pub in result], range(1, 31), atol=1e-9)
    assert len(sent) == 1


def test_products_of_many_projectors_are_measured(simulator: Backend):
    circuit = QuantumCircuit(10)
    circuit.x(range(5))
    data = GatewayEstimator(simulator).run([(circuit, [{"0" * 5 + "1" * 5: 2.0}, {"1" * 10: 1.0}])]).result()[0].data
    np.testing.assert_allclose(data.evs, [2, 0], atol=1e-9)


IDENTITIES = ["II", {"II": 2.5}, {"II": -1.5, "ZI": 0.5}, ["IZ", "II"], [["XX"], ["II"]], {"II": 1.0, "XX": 0.0}]


@pytest.mark.parametrize("precision", [0.0, 0.1])
@pytest.mark.parametrize("observables", IDENTITIES, ids=str)
def test_an_identity_is_known_without_a_measurement(estimating: Backend, observables: object, precision: float):
    circuit = QuantumCircuit(2)
    circuit.ry(0.4, 0)
    ours = GatewayEstimator(estimating, seed=2).run([(circuit, observables)], precision=precision).result()[0].data
    theirs = StatevectorEstimator().run([(circuit, observables)]).result()[0].data
    assert ours.evs.shape == theirs.evs.shape
    np.testing.assert_allclose(ours.evs, theirs.evs, atol=1e-9 + 6 * precision)


def test_an_identity_has_no_error_and_others_in_the_pub_have(estimating: Backend):
    circuit = QuantumCircuit(1)
    circuit.ry(0.4, 0)
    data = GatewayEstimator(estimating, seed=2).run([(circuit, ["I", "X"])], precision=0.1).result()[0].data
    assert (data.evs[0], data.stds[0]) == (1, 0)
    assert data.stds[1] > 0


def test_observables_without_qubits_are_numbers(estimating: Backend):
    data = GatewayEstimator(estimating).run([(QuantumCircuit(0), {"": 3.0})]).result()[0].data
    assert data.evs == 3


def test_an_estimate_that_fails_keeps_the_others_their_results(failing: Backend):
    unknown = QuantumCircuit(1)
    unknown.append(Gate("mystery", 1, []), [0])
    identity = QuantumCircuit(1)
    job = GatewayEstimator(failing).run([(unknown, "Z"), (identity, "I")], precision=0.1)
    result = job.result()
    assert result[1].data.evs == 1
    with pytest.raises(UnsupportedError, match="operation 0: mystery"):
        _ = result[0].data
    with pytest.raises(UnsupportedError, match="operation 0: mystery"):
        GatewayEstimator(failing).run([(unknown, "Z")]).result()


def test_exact_and_sampled_pubs_may_share_a_job(estimating: Backend):
    pubs = [(bell(), "ZZ", None, 0.0), (bell(), "XI", None, 0.05), (bell(), "XX", None, 0.0)]
    first, second, third = GatewayEstimator(estimating, seed=3).run(pubs).result()
    assert (first.metadata["shots"], second.metadata["shots"]) == (None, 400)
    np.testing.assert_allclose([first.data.evs, third.data.evs], [1, 1], atol=1e-9)
    assert second.data.stds == pytest.approx(0.05, rel=0.1)
    assert abs(second.data.evs) < 6 * 0.05


def test_circuits_may_measure_before_the_estimate(estimating: Backend):
    circuit = QuantumCircuit(2, 1)
    circuit.h(0)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(1)
    data = GatewayEstimator(estimating).run([(circuit, [SparsePauliOp("ZZ"), SparsePauliOp("XX")])]).result()[0].data
    np.testing.assert_allclose(data.evs, [1, 0], atol=1e-12)


def test_qiskits_own_estimator_for_backends_runs_on_ours(backend: GatewayBackend):
    estimator = BackendEstimatorV2(backend=backend, options={"default_precision": 0.05, "seed_simulator": 2})
    data = estimator.run([(bell(), SparsePauliOp(["ZZ", "XX"]))]).result()[0].data
    assert data.evs == pytest.approx(2)
