"""Our backends inside Qrisp, on real simulators behind their servers."""

from __future__ import annotations

import threading
from math import cos, sin

import pytest
from qrisp import (
    QFT,
    QuantumBool,
    QuantumChar,
    QuantumFloat,
    QuantumVariable,
    control,
    cx,
    h,
    mcx,
    multi_measurement,
    ry,
)  # fmt: skip
from qrisp.circuit import Operation, QuantumCircuit, XGate
from qrisp.interface import Backend as QrispBackend
from qrisp.interface import BackendLike, JobCancelledError, JobFailureError, JobStatus, MeasurementResult
from qrisp.operators import X, Y, Z

from gateway.backends.base import Backend, BackendStatus
from gateway.backends.client import BackendClient
from gateway.backends.job import LocalJob
from gateway.circuit.gates import GATES
from gateway.errors import JobNotFound, JobTimeout, RequestError, SimulatorError, TransportError, UnsupportedError
from gateway.frameworks.qrisp import backend as integration
from gateway.frameworks.qrisp.backend import GatewayBackend
from gateway.results import Capabilities, ResultType
from gateway.simulators import SIMULATORS

FIVE_SIGMA = 5 * 0.5
"""Times ``shots ** -0.5``: a frequency is off by more once in two million times."""


@pytest.fixture
def backend(client: BackendClient) -> GatewayBackend:
    """Each simulator in turn."""
    return GatewayBackend(client)


@pytest.fixture
def one(qulacs: BackendClient) -> GatewayBackend:
    """One simulator, for what concerns none in particular."""
    return GatewayBackend(qulacs)


def bell(shots_bits: int = 2) -> QuantumCircuit:
    circuit = QuantumCircuit(2, shots_bits)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure([0, 1], circuit.clbits[:2])
    return circuit


# ---------------------------------------------------------------------------- what Qrisp's users call


def test_a_product_is_measured(backend: GatewayBackend):
    a, b = QuantumFloat(3), QuantumFloat(3)
    a[:], b[:] = 3, 5
    assert (a * b).get_measurement(backend=backend) == {15: 1.0}


def test_no_shots_give_exact_probabilities(backend: GatewayBackend):
    number = QuantumFloat(2)
    ry(0.7, number[0])
    cx(number[0], number[1])
    found = number.get_measurement(backend=backend)
    assert dict(found) == pytest.approx({0: cos(0.35) ** 2, 3: sin(0.35) ** 2}, abs=1e-6)


def test_shots_are_as_many_as_asked_for(backend: GatewayBackend):
    found = backend.run(bell(), shots=1234)
    assert isinstance(found, MeasurementResult)
    assert set(found) == {"00", "11"}
    assert sum(found.values()) == 1234
    assert abs(found["11"] / 1234 - 0.5) < FIVE_SIGMA * 1234**-0.5


def test_several_variables_are_measured_together(backend: GatewayBackend):
    a, b, c = QuantumFloat(2), QuantumFloat(3), QuantumBool()
    a[:], b[:] = 2, 1
    h(c)
    with control(c):
        b += 4
    found = multi_measurement([a, b, c], backend=backend)
    assert dict(found) == pytest.approx({(2, 1, False): 0.5, (2, 5, True): 0.5}, abs=1e-6)


def test_an_expectation_value_is_exact_without_shots(backend: GatewayBackend):
    def prepare() -> QuantumVariable:
        variable = QuantumVariable(2)
        ry(0.7, variable[0])
        cx(variable[0], variable[1])
        return variable

    hamiltonian = Z(0) * Z(1) + 0.5 * X(0) * X(1) + 0.25 * Z(0) - 0.5 * Y(0) * Y(1)
    value = hamiltonian.expectation_value(prepare, precision=0.01, backend=backend)()
    assert value == pytest.approx(
        1 + sin(0.7) / 2 + cos(0.7) / 4 + sin(0.7) / 2, abs=0.06
    )  # 0.01 is a standard deviation


def test_a_batch_is_one_request(backend: GatewayBackend, monkeypatch: pytest.MonkeyPatch):
    sent = []
    send = BackendClient.send
    monkeypatch.setattr(BackendClient, "send", lambda self, request: sent.append(request) or send(self, request))
    batch = backend.batched()
    a, b = QuantumFloat(4), QuantumFloat(4)
    a[:], b[:] = 3, 5
    first, second = a.get_measurement(backend=batch), b.get_measurement(backend=batch)
    batch.dispatch()
    assert (first, second) == ({3: 1.0}, {5: 1.0})
    assert [len(request.circuit_list()) for request in sent] in ([2], [])  # [] where a backend keeps jobs on its server


def test_each_circuit_of_a_batch_has_its_own_shots(backend: GatewayBackend):
    batch = backend.batched()
    found = [batch.run(bell(), shots=number) for number in (1024, 9, 300)]
    batch.dispatch()
    assert [sum(one.values()) for one in found] == [1024, 9, 300]


def test_a_circuit_measured_and_reused_is_run(backend: GatewayBackend):
    circuit = QuantumCircuit(2, 2)
    circuit.h(0)
    circuit.measure(0, 0)
    circuit.append(XGate().c_if(), [circuit.qubits[1]], [circuit.clbits[0]])
    circuit.measure(1, 1)
    assert dict(backend.run(circuit)) == pytest.approx({"00": 0.5, "11": 0.5}, abs=1e-6)


def test_custom_gates_and_a_fourier_transform_are_run(backend: GatewayBackend):
    inner = QuantumCircuit(2)
    inner.ry(0.7, 0)
    inner.cx(0, 1)
    number, target = QuantumFloat(3), QuantumBool()
    number.qs.append(inner.to_gate("mine"), [number[0], number[1]])
    mcx(number[:2], target)
    QFT(number)
    QFT(number, inv=True)
    found = multi_measurement([number, target], backend=backend)
    assert dict(found) == pytest.approx({(0, False): cos(0.35) ** 2, (3, True): sin(0.35) ** 2}, abs=1e-6)


# ---------------------------------------------------------------------------- the contract


def test_it_is_a_backend_of_qrisps(one: GatewayBackend):
    assert isinstance(one, QrispBackend)
    assert isinstance(one, BackendLike)
    assert isinstance(one.batched(), BackendLike)


def test_keys_have_one_character_for_each_clbit_clbit_0_rightmost_and_no_space(one: GatewayBackend):
    circuit = QuantumCircuit(3, 5)
    circuit.x(0)
    circuit.measure(0, 1)
    circuit.measure(1, 0)
    circuit.measure(2, 4)
    assert one.run(circuit, shots=7) == {"00010": 7}
    assert one.run(bell(shots_bits=4), 100).keys() == {"0000", "0011"}


def test_a_sequence_gives_a_list(one: GatewayBackend):
    assert isinstance(one.run([bell()], shots=5), list)
    assert [sum(found.values()) for found in one.run((bell(), bell()), shots=5)] == [5, 5]


def test_a_job_has_its_result_and_where_it_comes_from(one: GatewayBackend):
    job = one.run_async([bell(), bell()], shots=[10, 20])
    assert job.backend is one
    assert job.last_known_status is not JobStatus.INITIALIZING
    result = job.result(timeout=60)
    assert job.last_known_status is JobStatus.DONE
    assert job.status() is JobStatus.DONE
    assert job.done()
    assert job.in_final_state()
    assert not job.cancel(), "it has ended"
    assert [sum(counts.values()) for counts in result.all_counts] == [10, 20]
    assert [found.simulator for found in result.metadata["provenance"]] == ["qulacs", "qulacs"]
    assert [found.shots for found in result.metadata["provenance"]] == [10, 20]


def test_the_seed_of_the_options_makes_a_run_repeatable(one: GatewayBackend):
    one.update_options(seed=7, shots=1000)
    first = one.run(bell())
    assert one.run(bell()) == first
    assert sum(first.values()) == 1000
    one.update_options(seed=8)
    assert one.run([bell()] * 5) != [first] * 5


def test_options_are_those_known_at_the_start(one: GatewayBackend):
    assert dict(one.options) == {"shots": None, "seed": None, "timeout_s": None}
    assert GatewayBackend(one.backend, options={"shots": 10}).options["shots"] == 10
    with pytest.raises(AttributeError, match="'noise' is not a valid backend option"):
        GatewayBackend(one.backend, options={"noise": 0.1})
    with pytest.raises(AttributeError, match="'noise' is not a valid backend option"):
        one.update_options(shots=3, noise=0.1)
    assert one.options["shots"] is None


@pytest.mark.parametrize("shots", [0, -1])
def test_shots_below_one_are_refused(one: GatewayBackend, shots: int):
    for call in (one.run, one.run_async):
        with pytest.raises(ValueError, match="'shots' must be a positive integer"):
            call(bell(), shots=shots)


@pytest.mark.parametrize("shots", [True, 1.5, "10"])
def test_shots_that_are_no_integer_are_refused(one: GatewayBackend, shots: object):
    for call in (one.run, one.run_async):
        with pytest.raises((TypeError, ValueError), match="'shots'"):
            call(bell(), shots=shots)


def test_shots_not_one_for_each_circuit_are_refused(one: GatewayBackend):
    with pytest.raises(ValueError, match=r"2 element\(s\) but 1 circuit"):
        one.run_async(bell(), shots=[1, 2])


def test_a_batch_may_be_exact_in_parts(one: GatewayBackend):
    result = one.run_async([bell(), bell()], shots=[None, 5]).result()
    assert result.get_counts(0) == pytest.approx({"00": 0.5, "11": 0.5})
    assert sum(result.get_counts(1).values()) == 5
    assert one.run_async([bell(), bell()], shots=[None, None]).result().get_counts(1) == pytest.approx(
        {"00": 0.5, "11": 0.5}
    )


@pytest.mark.parametrize("shots", [None, 5])
def test_a_circuit_that_measures_nothing_has_zeros(one: GatewayBackend, shots: int | None):
    unmeasured = QuantumCircuit(2, 2)
    unmeasured.h(0)
    job = one.run_async([unmeasured, bell(), QuantumCircuit(1)], shots=shots)
    for result in (job.result(), one.retrieve_job(job.job_id).result()):
        assert result.get_counts(0) == {"00": shots or 1.0}
        assert set(result.get_counts(1)) <= {"00", "11"}
        assert result.get_counts(2) == {"": shots or 1.0}


def test_no_circuits_are_refused(one: GatewayBackend):
    with pytest.raises(RequestError, match="the list of circuits is empty"):
        one.run([])


def test_it_says_what_it_is(one: GatewayBackend):
    assert isinstance(one.health, BackendStatus)
    assert one.health.online
    assert isinstance(one.info, Capabilities)
    assert one.num_qubits is None, "only memory limits a simulator"
    assert one.gate_set == tuple(GATES)
    assert one.connectivity is None
    assert "BackendClient" in repr(one)
    assert GatewayBackend(one.backend, name="mine").name == "mine"


def test_a_job_nobody_knows_is_not_found(one: GatewayBackend):
    with pytest.raises(JobNotFound) as caught:
        one.retrieve_job("no-such-job")
    assert isinstance(caught.value, LookupError)


# ---------------------------------------------------------------------------- jobs of any kind


class Slow(Backend):
    """A backend whose runs end when they are told to, and which keeps its jobs."""

    def __init__(self, error: Exception | None = None) -> None:
        self.release = threading.Event()
        self.error = error
        self.started: dict[str, LocalJob] = {}

    def send(self, request):
        assert self.release.wait(30)
        raise self.error or SimulatorError("nothing to send")

    def status(self):
        return BackendStatus("slow", "1", online=True)

    def capabilities(self):
        return Capabilities(result_types=(ResultType.COUNTS,), max_qubits=4)

    def run_async(self, circuits, **options):
        job = super().run_async(circuits, **options)
        self.started[job.id] = job
        return job

    def job(self, job_id):
        return self.started[job_id] if job_id in self.started else super().job(job_id)


@pytest.fixture
def slow():
    backend = Slow()
    yield backend
    backend.release.set()
    backend.close()


def test_waiting_can_end_before_the_run_does(slow: Slow):
    job = GatewayBackend(slow).run_async(bell(), shots=1)
    with pytest.raises(TimeoutError, match="the run goes on"):
        job.result(timeout=0.05)
    assert job.status() in {JobStatus.QUEUED, JobStatus.RUNNING}
    assert not job.in_final_state()


@pytest.mark.parametrize("error", [SimulatorError("out of memory"), JobTimeout("killed after 1 s", timeout_s=1)])
def test_a_failed_run_is_a_failed_job_with_our_error_as_its_cause(slow: Slow, error: Exception):
    slow.error = error
    slow.release.set()
    job = GatewayBackend(slow).run_async(bell(), shots=1)
    with pytest.raises(JobFailureError, match=str(error)) as caught:
        job.result()
    assert caught.value.__cause__ is error
    assert job.last_known_status is JobStatus.ERROR
    assert job.status() is JobStatus.ERROR


def test_a_job_in_the_queue_can_be_cancelled(slow: Slow):
    backend = GatewayBackend(slow)
    jobs = [backend.run_async(bell(), shots=1) for _ in range(20)]
    assert jobs[-1].cancel()
    assert jobs[-1].cancelled()
    with pytest.raises(JobCancelledError, match="was cancelled"):
        jobs[-1].result()
    assert jobs[-1].last_known_status is JobStatus.CANCELLED


def test_a_job_is_found_again_by_its_id(slow: Slow):
    backend = GatewayBackend(slow)
    job = backend.run_async(bell(), shots=1)
    again = backend.retrieve_job(job.job_id)
    assert again.job_id == job.job_id
    assert again.status() in {JobStatus.QUEUED, JobStatus.RUNNING}
    assert backend.num_qubits == 4


# ---------------------------------------------------------------------------- what goes wrong


def test_a_circuit_that_cannot_be_said_is_refused_by_name(one: GatewayBackend):
    circuit = QuantumCircuit(1, 1)
    circuit.append(Operation("magic", num_qubits=1), circuit.qubits)
    with pytest.raises(UnsupportedError, match="operation 0: magic"):
        one.run(circuit)


def test_a_server_that_is_not_there_is_said_so():
    backend = GatewayBackend(BackendClient("127.0.0.1", 9))
    number = QuantumFloat(1)
    with pytest.raises((JobFailureError, TransportError), match=r"cannot reach http://127\.0\.0\.1:9"):
        number.get_measurement(backend=backend, shots=5)


# ---------------------------------------------------------------------------- the old names

NAMES = {
    "CirqSim": "cirq",
    "MQTSim": "mqt",
    "QiskitSim": "qiskit",
    "QulacsSim": "qulacs",
    "PyTketSim": "pytket",
    "PyTketStimSim": "pytket",
    "RigettiSim": "rigetti",
    "PennylaneRigettiSim": "rigetti",
}


@pytest.mark.parametrize(("name", "simulator"), NAMES.items())
def test_an_old_name_is_the_simulator_behind_its_port(servers, name: str, simulator: str):
    made = getattr(integration, name)()
    assert (made.backend.host, made.backend.port) == ("127.0.0.1", SIMULATORS[simulator].port)
    here = getattr(integration, name)(port=servers.port(simulator))
    number = QuantumFloat(3)
    number[:] = 5
    assert number.get_measurement(backend=here) == {5: 1.0}
    assert here.run_async(bell(), shots=3).result().metadata["provenance"][0].simulator == simulator


def test_every_simulator_that_had_a_name_in_qrisp_still_has_it():
    assert set(NAMES.values()) == {"cirq", "mqt", "qiskit", "qulacs", "pytket", "rigetti"}


def test_an_old_program_runs_with_its_import_changed(servers):
    QulacsSim = integration.QulacsSim  # noqa: N806 - as the program says it

    qf = QuantumFloat(4)
    qf[:] = 2
    result = (qf * qf).get_measurement(backend=QulacsSim(port=servers.port("qulacs")), shots=1000)
    assert result == {4: 1.0}


def test_options_can_be_given_with_an_old_name(servers):
    backend = integration.MQTSim(port=servers.port("mqt"), shots=50, seed=3)
    assert sum(backend.run(bell()).values()) == 50


def test_characters_and_fractions_are_decoded_by_qrisp(one: GatewayBackend):
    letter, number = QuantumChar(), QuantumFloat(3, -1)
    letter[:] = "g"
    number[:] = 1.5
    assert multi_measurement([letter, number], backend=one) == {("g", 1.5): 1.0}
