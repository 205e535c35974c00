"""QiskitRuntimeBackend in the SDK's local mode, and its ways to fail against a server that speaks IBM Cloud's."""

from __future__ import annotations

import pickle
from collections.abc import Iterator

import pytest
from qiskit_aer import AerSimulator
from qiskit_ibm_runtime import Batch, RuntimeJobFailureError, Session
from qiskit_ibm_runtime.api.exceptions import RequestsApiError
from qiskit_ibm_runtime.exceptions import IBMInputValueError, RuntimeJobMaxTimeoutError, RuntimeJobNotFound
from qiskit_ibm_runtime.fake_provider import FakeManilaV2
from support.circuits import bell, random_dynamic_circuit, teleportation
from support.ibm_cloud import INSTANCE, MACHINE, TOKEN, IbmCloud
from support.reference import distribution
from support.statistics import assert_drawn_from

from gateway import Circuit, QiskitRuntimeBackend
from gateway.backends.qiskit_runtime import RuntimeRun
from gateway.errors import (
    AuthenticationError,
    BusyError,
    JobCancelled,
    JobNotFound,
    JobTimeout,
    LimitError,
    RequestError,
    SimulatorError,
    TransportError,
    UnsupportedError,
)
from gateway.results import JobState

SHOTS = 4_000


@pytest.fixture(scope="module")
def manila() -> QiskitRuntimeBackend:
    """Five noisy qubits in a row."""
    return QiskitRuntimeBackend(backend=FakeManilaV2())


@pytest.fixture(scope="module")
def aer() -> QiskitRuntimeBackend:
    """No noise, so that results can be compared with the reference."""
    return QiskitRuntimeBackend(backend=AerSimulator())


@pytest.mark.parametrize("seed", range(6))
def test_the_sampler_agrees_with_the_reference_on_any_dynamic_circuit(aer: QiskitRuntimeBackend, seed):
    circuit = random_dynamic_circuit(seed)
    assert_drawn_from(aer.run(circuit, shots=SHOTS, seed=seed), distribution(circuit))


def test_a_fake_machine_runs_what_is_transpiled_for_it(manila: QiskitRuntimeBackend):
    circuit = Circuit(9, 12).x(8).cx(8, 0).measure(8, 11).measure(0, 3).measure(4, 0).cx(0, 4).measure(4, 10)
    counts = manila.run(circuit, shots=1000, seed=1)
    assert counts.width == 12
    assert counts.most_common(1)[0][0] == "110000001000"


def test_text_with_several_registers_gives_one_key_per_clbit(aer: QiskitRuntimeBackend):
    text = """OPENQASM 3; include "stdgates.inc"; qubit[3] q; bit a; bit[2] b; bit[3] never;
    x q[1]; a = measure q[0]; b[1] = measure q[1]; if (b == 2) x q[2]; b[0] = measure q[2];"""
    assert aer.run(text, shots=10) == {"000110": 10}


def test_circuits_of_a_request_are_one_job_unless_they_have_seeds(manila: QiskitRuntimeBackend, monkeypatch):
    circuits = [bell(), teleportation(), bell()]
    job = manila.run_async(circuits, shots=50, seed=3)
    assert len(job.parts) == 3
    assert job.result() == manila.run(circuits, shots=50, seed=3)
    monkeypatch.setattr(manila, "seedable", False)  # as a machine is
    job = manila.run_async(circuits, shots=50)
    assert [part.circuits for part in job.parts] == [(0, 1, 2)]
    assert [counts.shots for counts in job.result()] == [50, 50, 50]
    assert job.status() is JobState.DONE
    with pytest.raises(UnsupportedError, match="fake_manila cannot be seeded"):
        manila.run(bell(), seed=1)


def test_circuits_of_other_shots_are_other_jobs(manila: QiskitRuntimeBackend, monkeypatch):
    monkeypatch.setattr(manila, "seedable", False)
    assert manila.terms.max_shots == 100_000
    job = manila.run_async([bell(), bell(), bell()], shots=[10, 20, 10])
    assert [(part.circuits, part.shots) for part in job.parts] == [((0, 2), 10), ((1,), 20)]
    assert [counts.shots for counts in job.result()] == [10, 20, 10]


def test_provenance_names_the_machine(manila: QiskitRuntimeBackend):
    found = manila.run(bell(), shots=10, seed=7).provenance
    assert (found.simulator, found.version) == ("fake_manila", FakeManilaV2().backend_version)
    assert (found.shots, found.seed) == (10, 7)
    assert min(found.build_s, found.run_s) > 0
    status = manila.status()
    assert (status.name, status.online) == ("fake_manila", True)
    assert {"cx", "sx", "rz"} <= set(manila.native_gates())
    assert manila.capabilities().max_qubits == 5
    with pytest.raises(LimitError, match="uses 6 qubits; fake_manila has 5"):
        manila.run(Circuit(6).h(0).h(1).h(2).h(3).h(4).h(5).measure_all())


def test_options_reach_the_sampler():
    twirled = QiskitRuntimeBackend(backend=AerSimulator(), options={"twirling": {"enable_measure": True}})
    assert_drawn_from(twirled.run(bell(), shots=2048, seed=3), {"00": 0.5, "11": 0.5})
    with pytest.raises(SimulatorError, match="2048 outcomes for 2000 shots"):  # the Sampler rounds up, and we do not
        twirled.run(bell(), shots=2000, seed=3)
    with pytest.raises(SimulatorError, match="no_such_option"):
        QiskitRuntimeBackend(backend=AerSimulator(), options={"no_such_option": 1}).run(bell())


# ---------------------------------------------------------------------------- sessions


@pytest.mark.parametrize(("mode", "kind"), [("session", Session), ("batch", Batch)])
def test_a_session_is_opened_by_the_first_run_kept_and_closed(mode, kind):
    backend = QiskitRuntimeBackend(backend=FakeManilaV2(), mode=mode)
    assert backend._session is None
    backend.run(bell(), shots=10)
    session = backend._session
    assert type(session) is kind
    backend.run(bell(), shots=10)
    assert backend._session is session
    assert session._active
    backend.close_session()
    assert not session._active
    with pytest.raises(RequestError, match=f"the {mode} of this backend was closed"):
        backend.run(bell(), shots=10)


def test_leaving_the_backend_closes_its_session_although_a_run_failed():
    with QiskitRuntimeBackend(backend=FakeManilaV2(), mode="session") as backend:
        backend.run(bell(), shots=10)
        session = backend._session
        with pytest.raises(LimitError):
            backend.run(Circuit(6).h(0).h(1).h(2).h(3).h(4).h(5).measure_all())
    assert not session._active
    assert backend.session_id is None


def test_without_a_session_closing_changes_nothing(manila: QiskitRuntimeBackend):
    manila.close_session()
    assert manila.run(bell(), shots=10).shots == 10


def test_a_copy_opens_a_session_of_its_own():
    backend = QiskitRuntimeBackend(backend=FakeManilaV2(), mode="session", optimization_level=3)
    expected = backend.run(bell(), shots=100, seed=3)
    copy = pickle.loads(pickle.dumps(backend))  # noqa: S301
    assert copy.run(bell(), shots=100, seed=3) == expected
    assert copy._session is not backend._session


# ---------------------------------------------------------------------------- what can be wrong


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"mode": "sessions"}, "mode"),
        ({"channel": "ibm_quantum"}, "channel"),
        ({"optimization_level": 7}, "optimization_level"),
    ],
)
def test_wrong_arguments_are_refused_by_name_before_anybody_is_asked(arguments, field):
    with pytest.raises(RequestError) as caught:
        QiskitRuntimeBackend(backend=FakeManilaV2(), **arguments)
    assert caught.value.field == field


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[IbmCloud]:
    """A cloud that the SDK finds: by variables of its own, it logs in there and skips the search for instances."""
    with IbmCloud() as cloud:
        monkeypatch.setenv("IAM_URL", cloud.url)
        monkeypatch.setenv("QISKIT_FUNCTIONS_EXPERIMENTAL", "1")
        yield cloud


def connected(cloud: IbmCloud, backend: str | None = MACHINE, **options) -> QiskitRuntimeBackend:
    service_options = {"url_resolver": lambda *_: cloud.url}
    return QiskitRuntimeBackend(TOKEN, backend, instance=INSTANCE, service_options=service_options, **options)


@pytest.mark.parametrize(("mode", "asked"), [("session", "dedicated"), ("batch", "batch")])
def test_a_session_of_ibms_is_opened_once_and_closed(cloud: IbmCloud, mode, asked):
    with connected(cloud, mode=mode, max_time="1h") as backend:
        assert not cloud.sessions
        jobs = [backend.run_async([bell(), bell()], shots=10) for _ in range(2)]
        assert backend.session_id == "session0"
        assert cloud.sessions["session0"] == {
            "mode": asked, "backend": MACHINE, "instance": INSTANCE, "max_ttl": 3600, "accepting_jobs": True,
        }  # fmt: skip
    assert not cloud.sessions["session0"]["accepting_jobs"]
    assert [job.id for job in jobs] == ["[job0@0.1]", "[job1@0.1]"]
    assert {job["session_id"] for job in cloud.jobs.values()} == {"session0"}
    with pytest.raises(RequestError, match=f"the {mode} of this backend was closed"):
        backend.run_async(bell())


def test_without_a_session_none_is_opened_and_the_least_busy_machine_is_taken(cloud: IbmCloud):
    backend = connected(cloud, None)
    assert backend.name == MACHINE
    status = backend.status()
    assert (status.name, status.online, status.message) == (MACHINE, True, "active, 3 jobs wait")
    backend.run_async(bell())
    backend.close_session()
    backend.run_async(bell())
    assert not cloud.sessions
    assert all("session_id" not in job for job in cloud.jobs.values())
    with pytest.raises(UnsupportedError, match="ibm_manila cannot be seeded"):
        backend.run(bell(), seed=1)


def test_a_job_of_ibms_is_found_again_and_cancelled(cloud: IbmCloud):
    backend = connected(cloud)
    job = backend.run_async(bell(), shots=250_000)  # the machine says 100,000 at once
    assert job.id == "job0@0.0+job1"
    assert job.status() is JobState.QUEUED
    cloud.state = {"status": "Running"}
    assert backend.job(job.id).status() is JobState.RUNNING
    with pytest.raises(JobTimeout, match="the job goes on"):
        job.result(0.02)
    assert backend.job(job.id).cancel()
    assert job.status() is JobState.CANCELLED
    with pytest.raises(JobCancelled, match="the job job0 of ibm_manila was cancelled"):
        job.result()
    with pytest.raises(JobNotFound, match="job9"):
        backend.job("job9")


def test_a_failed_job_of_ibms_says_why(cloud: IbmCloud):
    cloud.state = {"status": "Failed", "reason": "the fridge is warm"}
    with pytest.raises(SimulatorError, match=r"ibm_manila failed: .*the fridge is warm"):
        connected(cloud).run(bell())
    cloud.state = {"status": "Cancelled", "reason": "ran too long", "reasonCode": 1305}
    with pytest.raises(JobTimeout, match="Error code 1305; ran too long"):
        connected(cloud).run(bell())


def test_a_run_past_its_deadline_is_cancelled_at_ibms(cloud: IbmCloud):
    with pytest.raises(JobTimeout, match="the job job0 was cancelled"):
        connected(cloud).run(bell(), timeout_s=0.02)
    assert cloud.jobs["job0"]["state"] == {"status": "Cancelled"}


def test_an_unknown_machine_is_refused(cloud: IbmCloud):
    with pytest.raises(RequestError, match="ibm_nowhere"):
        connected(cloud, "ibm_nowhere")


@pytest.mark.parametrize(
    ("status", "error"), [(401, AuthenticationError), (403, AuthenticationError), (413, LimitError)]
)
def test_what_ibm_refuses_is_raised_in_its_words(cloud: IbmCloud, status, error):
    backend = connected(cloud)
    cloud.refuses = status
    with pytest.raises(error, match="words of the server"):
        backend.run(bell())


@pytest.mark.usefixtures("cloud")
def test_a_wrong_token_is_refused_in_ibms_words(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("QISKIT_FUNCTIONS_EXPERIMENTAL")
    with pytest.raises(AuthenticationError, match="Provided API key could not be found") as caught:
        QiskitRuntimeBackend("wrong", "ibm_torino", instance=INSTANCE)
    assert isinstance(caught.value, PermissionError)


def test_a_cloud_that_cannot_be_reached_is_no_matter_of_the_token(monkeypatch: pytest.MonkeyPatch):
    with IbmCloud() as gone:
        monkeypatch.setenv("IAM_URL", gone.url)
    with pytest.raises(TransportError, match="IBM Quantum cannot be reached"):
        QiskitRuntimeBackend("right", "ibm_torino")


def test_without_a_token_and_a_saved_account_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path):
    for name in ("QISKIT_IBM_TOKEN", "QISKIT_IBM_URL", "QISKIT_IBM_CHANNEL"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(AuthenticationError, match=r"[Aa]ccount"):
        QiskitRuntimeBackend(backend="ibm_torino", service_options={"filename": str(tmp_path / "none.json")})


@pytest.mark.parametrize(
    ("raised", "expected", "message"),
    [
        (RequestsApiError("403 Client Error", 403), AuthenticationError, "403 Client Error"),
        (RequestsApiError("429 Too Many Requests", 429), BusyError, "429"),
        (RequestsApiError("413 Too Large", 413), LimitError, "413"),
        (RequestsApiError("500 Server Error", 500), SimulatorError, "fake_manila failed: RequestsApiError"),
        (RuntimeJobNotFound("Job x not found"), JobNotFound, "Job x not found"),
        (RuntimeJobMaxTimeoutError("ran too long"), JobTimeout, "ran too long"),
        (RuntimeJobFailureError("code 1517"), SimulatorError, "code 1517"),
        (IBMInputValueError("no such option"), RequestError, "no such option"),
        (IBMInputValueError("an account that does not have access to it"), AuthenticationError, "does not have access"),
    ],
)
def test_what_ibm_says_becomes_an_error_of_ours_with_its_words(
    manila: QiskitRuntimeBackend, monkeypatch, raised, expected, message
):
    def readings(_):
        raise raised

    monkeypatch.setattr(RuntimeRun, "readings", readings)
    with pytest.raises(expected, match=message) as caught:
        manila.run(bell())
    assert caught.value.__cause__ is raised
