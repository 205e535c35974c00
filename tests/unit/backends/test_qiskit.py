from __future__ import annotations

import pickle
import socket
import threading
from types import SimpleNamespace

import pytest
import requests
from qiskit.exceptions import QiskitError
from qiskit.providers import BackendV2, JobStatus, JobV1, Options
from qiskit.providers.basic_provider import BasicSimulator
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit.result import Result
from qiskit.transpiler import Target
from qiskit_aer import AerSimulator
from qiskit_ibm_runtime.fake_provider import FakeManilaV2
from support.circuits import bell, random_dynamic_circuit, teleportation, wide
from support.reference import distribution
from support.statistics import assert_drawn_from

from gateway import Circuit, QiskitBackend
from gateway.backends.vendor_plan import Terms
from gateway.circuit import Comparison
from gateway.errors import (
    AuthenticationError,
    BusyError,
    GatewayError,
    JobCancelled,
    JobNotFound,
    JobTimeout,
    LimitError,
    RequestError,
    SimulatorError,
    TransportError,
    TransportTimeout,
    UnsupportedError,
)
from gateway.results import JobState

SHOTS = 4_000


@pytest.fixture(scope="module")
def aer() -> QiskitBackend:
    return QiskitBackend()


def test_without_a_backend_it_is_aer(aer: QiskitBackend):
    assert isinstance(aer.backend, AerSimulator)
    status = aer.status()
    assert (status.name, status.version, status.online) == ("aer_simulator", aer.backend.backend_version, True)
    assert {"h", "cx", "ccx"} <= set(aer.native_gates())
    assert aer.capabilities().seedable


@pytest.mark.parametrize("seed", range(20))
def test_aer_agrees_with_the_reference_on_any_dynamic_circuit(aer: QiskitBackend, seed):
    circuit = random_dynamic_circuit(seed)
    assert_drawn_from(aer.run(circuit, shots=SHOTS, seed=seed), distribution(circuit))


def line() -> AerSimulator:
    """Three qubits in a row, with few gates and no noise."""
    gates = ["rz", "sx", "x", "cx", "if_else", "reset", "measure"]
    return AerSimulator(basis_gates=gates, coupling_map=[[0, 1], [1, 0], [1, 2], [2, 1]], n_qubits=3)


@pytest.mark.parametrize("level", [0, 1, 2, 3])
@pytest.mark.parametrize("condition", [{0: 1}, {1: 0, 0: 1}, Comparison((1, 0), 2, equal=False)])
def test_conditions_survive_every_level_of_the_transpiler(level, condition):
    circuit = Circuit(3, 3).ry(1.0, 0).ry(2.0, 1).measure(0, 0).measure(1, 1)
    circuit.cx(0, 2, when=condition).x(2, when={0: 0}).reset(0, when=condition).measure(2, 2).measure(0, 0)
    backend = QiskitBackend(line(), optimization_level=level)
    assert_drawn_from(backend.run(circuit, shots=SHOTS, seed=3), distribution(circuit))


@pytest.mark.parametrize("seed", range(5))
def test_a_routed_circuit_agrees_with_the_reference(seed):
    circuit = random_dynamic_circuit(seed, num_qubits=3)
    assert_drawn_from(QiskitBackend(line()).run(circuit, shots=SHOTS, seed=seed), distribution(circuit))


def test_a_circuit_wider_than_the_device_is_refused():
    with pytest.raises(LimitError, match="uses 4 qubits; aer_simulator has 3"):
        QiskitBackend(line()).run(Circuit(4).h(0).h(1).h(2).h(3).measure_all())


def test_a_circuit_is_put_into_gates_and_connectivity_of_the_backend():
    backend = QiskitBackend(FakeManilaV2())  # a line of five
    native = backend.build(Circuit(4).h(0).ccx(0, 2, 3).measure_all())
    target = backend.backend.target
    for instruction in native.data:
        where = tuple(native.find_bit(qubit).index for qubit in instruction.qubits)
        assert instruction.name == "barrier" or target.instruction_supported(instruction.name, where)


def test_keys_have_every_clbit_in_our_order_after_qubits_were_moved():
    circuit = Circuit(9, 12).x(8).cx(8, 0).measure(8, 11).measure(0, 3).measure(4, 0).cx(0, 4).measure(4, 10)
    counts = QiskitBackend(FakeManilaV2()).run(circuit, shots=1000, seed=1)
    assert counts.width == 12
    assert counts.most_common(1)[0][0] == "110000001000"


def test_a_hundred_clbits_are_no_matter(aer: QiskitBackend):
    assert aer.run(Circuit(1, 100).x(0).measure(0, 99), shots=5) == {"1" + "0" * 99: 5}


def test_the_same_seed_gives_the_same_counts_alone_or_in_a_list(aer: QiskitBackend):
    together = aer.run([wide(), wide(), bell()], shots=300, seed=41)
    assert together == [aer.run(circuit, shots=300, seed=41 + k) for k, circuit in enumerate([wide(), wide(), bell()])]
    assert together[0] != together[1]
    assert [counts.provenance.seed for counts in together] == [41, 42, 43]


def test_without_a_seed_one_is_drawn_that_gives_the_counts_again(aer: QiskitBackend):
    first, second = aer.run([wide(), wide()], shots=300)
    assert first != second
    assert aer.run(wide(), shots=300, seed=first.provenance.seed) == first


def test_neighbouring_seeds_give_independent_counts_of_a_dynamic_circuit(aer: QiskitBackend):
    circuit = Circuit(1, 2).h(0).measure(0, 0).h(0).measure(0, 1)
    ones = [counts.get("11", 0) for counts in aer.run([circuit] * 12, shots=400, seed=0)]
    assert max(ones) - min(ones) > 8  # with shared random numbers 2 or 3; one standard deviation is 8.7


def test_more_shots_than_aer_gives_at_once_are_exact(aer: QiskitBackend):
    assert aer.terms.max_shots == 1_000_000
    counts = aer.run(bell(), shots=2_000_001, seed=3)
    assert counts.shots == 2_000_001
    assert_drawn_from(counts, {"00": 0.5, "11": 0.5})


def test_provenance_names_the_backend_and_has_the_seconds(aer: QiskitBackend):
    found = aer.run(bell(), shots=10, seed=7).provenance
    assert (found.simulator, found.version) == ("aer_simulator", aer.backend.backend_version)
    assert (found.shots, found.seed, found.sampler) == (10, 7, "native")
    assert min(found.build_s, found.run_s) > 0
    named = QiskitBackend(BasicSimulator(), name="plain")
    assert named.run(bell()).provenance.simulator == "plain"


def test_run_options_reach_the_backend():
    assert QiskitBackend(run_options={"method": "stabilizer"}).run(bell(), shots=10).shots == 10
    with pytest.raises(SimulatorError, match="stabilizer"):
        QiskitBackend(run_options={"method": "stabilizer"}).run(Circuit(1).t(0).measure_all())


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"backend": "aer_simulator"}, "backend"),
        ({"backend": AerSimulator}, "backend"),
        ({"optimization_level": 4}, "optimization_level"),
        ({"optimization_level": True}, "optimization_level"),
        ({"run_options": {"shots": 5}}, "run_options"),
        ({"run_options": {"seed_simulator": 5}}, "run_options"),
    ],
)
def test_wrong_arguments_are_refused_by_name(arguments, field):
    with pytest.raises(RequestError) as caught:
        QiskitBackend(**arguments)
    assert caught.value.field == field


def test_more_qubits_than_the_target_has_are_refused():
    with pytest.raises(LimitError, match="uses 6 qubits; fake_manila has 5"):
        QiskitBackend(FakeManilaV2()).run(Circuit(6).h(range(6)[5]).h(0).h(1).h(2).h(3).h(4).measure_all())


def test_classical_control_is_refused_where_the_target_has_none():
    with pytest.raises(UnsupportedError, match=r"operation 7 \(x 2\): basic_simulator has no classical control"):
        QiskitBackend(BasicSimulator()).run(teleportation())


def test_a_failure_that_the_backend_only_reports_is_raised_with_its_words():
    with pytest.raises(SimulatorError, match=r"contains invalid parameters .* for \"stabilizer\" method") as caught:
        QiskitBackend(AerSimulator(method="stabilizer")).run(Circuit(1).t(0).measure_all())
    assert caught.value.simulator == "aer_simulator_stabilizer"


# ---------------------------------------------------------------------------- a provider of its own


class Recorded(JobV1):
    """Waits until it is released; its counts are those of zeros."""

    def __init__(self, backend: Provider, number: int, circuits, shots) -> None:
        super().__init__(backend, f"id{number}")
        self.circuits, self.shots = circuits, shots
        self.now = JobStatus.QUEUED
        self.released = threading.Event()

    def submit(self):
        raise NotImplementedError

    def status(self):
        return self.now

    def cancel(self):
        self.now = JobStatus.CANCELLED
        self.released.set()

    def release(self):
        self.now = JobStatus.DONE
        self.released.set()

    def result(self):
        self.released.wait(10)
        if self.now is JobStatus.CANCELLED:
            raise ValueError("no results: cancelled")
        counts = {"0x0": self.shots}
        return Result.from_dict(
            {
                "backend_name": "provider", "backend_version": "1", "job_id": self.job_id(), "success": True,
                "results": [
                    {
                        "shots": self.shots, "success": True, "data": {"counts": counts},
                        "header": {"creg_sizes": [[r.name, r.size] for r in c.cregs], "memory_slots": c.num_clbits},
                    }
                    for c in self.circuits
                ],
            }
        )  # fmt: skip


class Provider(BackendV2):
    """A provider's machine: it takes no seed, 100 shots and two circuits at once, and keeps its jobs."""

    max_shots = 100

    def __init__(self) -> None:
        super().__init__(name="provider")
        self._target = GenericBackendV2(3, noise_info=False).target
        self.jobs: list[Recorded] = []

    @property
    def target(self) -> Target:
        return self._target

    @property
    def max_circuits(self) -> int:
        return 2

    @classmethod
    def _default_options(cls) -> Options:
        return Options()

    def run(self, run_input, shots):
        self.jobs.append(Recorded(self, len(self.jobs), run_input, shots))
        return self.jobs[-1]

    def retrieve_job(self, job_id):
        return {job.job_id(): job for job in self.jobs}[job_id]


def test_what_a_backend_says_of_itself_is_heeded():
    backend = QiskitBackend(Provider())
    assert backend.terms == Terms(max_qubits=3, max_shots=100, max_circuits=2)
    assert not backend.capabilities().seedable
    assert not backend.capabilities().classical_control
    assert backend.version.startswith("qiskit ")
    with pytest.raises(UnsupportedError, match="provider cannot be seeded"):
        backend.run(bell(), seed=1)


def test_a_job_is_qiskits_own():
    provider = Provider()
    backend = QiskitBackend(provider)
    job = backend.run_async([bell()] * 3, shots=50)
    first, second = provider.jobs
    assert (len(first.circuits), len(second.circuits)) == (2, 1)
    assert (job.id, job.status()) == ("[id0@0.1+id1@2]", JobState.QUEUED)
    first.now = JobStatus.RUNNING
    assert job.status() is JobState.RUNNING
    first.release()
    second.release()
    assert job.result() == [{"00": 50}] * 3
    assert backend.job(job.id).result() == job.result()
    with pytest.raises(JobNotFound, match="provider has no job 'other'"):
        backend.job("other")


def chained(outer: Exception, inner: Exception) -> Exception:
    outer.__cause__ = inner
    return outer


class HttpError(Exception):
    """What many SDKs raise: the response is in it."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the server answered {status}")
        self.response = SimpleNamespace(status_code=status)


class JobNotFoundError(Exception):
    """What others raise."""


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (KeyError("other"), JobNotFound),
        (QiskitError("Job other does not exist."), JobNotFound),
        (JobNotFoundError(), JobNotFound),
        (HttpError(404), JobNotFound),
        (chained(QiskitError("retrieving failed"), HttpError(404)), JobNotFound),
        (ConnectionRefusedError("nobody listens"), TransportError),
        (chained(QiskitError("retrieving failed"), ConnectionResetError("broken")), TransportError),
        (requests.ConnectionError("host not found"), TransportError),
        (socket.gaierror("Name or service not known"), TransportError),
        (requests.ReadTimeout("too slow"), TransportTimeout),
        (TimeoutError("too slow"), TransportTimeout),
        (HttpError(401), AuthenticationError),
        (HttpError(403), AuthenticationError),
        (PermissionError("the token has expired"), AuthenticationError),
        (HttpError(503), BusyError),
        (HttpError(500), SimulatorError),
        (ZeroDivisionError("a fault of the provider's"), SimulatorError),
    ],
)
def test_only_a_job_that_is_not_there_is_said_not_to_be_there(monkeypatch, raised: Exception, expected):
    def retrieve_job(_self, _job_id):
        raise raised

    monkeypatch.setattr(Provider, "retrieve_job", retrieve_job)
    with pytest.raises(GatewayError, match="provider") as caught:
        QiskitBackend(Provider()).job("other")
    assert type(caught.value) is expected
    assert caught.value.__cause__ is raised


def test_cancelling_is_passed_on():
    provider = Provider()
    job = QiskitBackend(provider).run_async(bell())
    assert job.cancel()
    assert {each.now for each in provider.jobs} == {JobStatus.CANCELLED}
    assert job.status() is JobState.CANCELLED
    with pytest.raises(JobCancelled, match="the job id0 of provider was cancelled"):
        job.result()


def test_a_run_past_its_deadline_is_cancelled_there():
    provider = Provider()
    with pytest.raises(JobTimeout, match="the job id0 was cancelled"):
        QiskitBackend(provider).run(bell(), shots=5, timeout_s=0.02)
    assert provider.jobs[0].now is JobStatus.CANCELLED


def test_where_nothing_is_kept_no_job_is_found(aer: QiskitBackend):
    job = aer.run_async(bell())
    with pytest.raises(JobNotFound, match=r"aer_simulator keeps no jobs: keep the job that run_async\(\) returned"):
        aer.job(job.id)
    assert job.result().shots == 1024


def test_a_failed_job_says_why():
    provider = Provider()
    job = QiskitBackend(provider).run_async(bell())
    for each in provider.jobs:
        each.release()
        each.now = JobStatus.ERROR
        each.result = lambda: 1 / 0
    assert job.status() is JobState.FAILED
    with pytest.raises(SimulatorError, match="provider failed: ZeroDivisionError: division by zero"):
        job.result()


def test_a_copy_runs_too(aer: QiskitBackend):
    expected = aer.run(wide(), seed=5)
    assert pickle.loads(pickle.dumps(aer)).run(wide(), seed=5) == expected  # noqa: S301
