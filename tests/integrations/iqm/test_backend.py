"""IQMBackend on IQM's fake backends, and over IQM's client against a server that speaks their interface."""

from __future__ import annotations

import json
import pickle
import uuid
from collections.abc import Iterator

import pytest
from iqm.iqm_client import CircuitCompilationOptions
from iqm.qiskit_iqm import IQMFakeAdonis, IQMFakeApollo, IQMFakeDeneb
from support.circuits import bell, random_circuit, teleportation
from support.iqm_server import MACHINE, TOKEN, IqmServer, Refused
from support.reference import distribution
from support.statistics import assert_drawn_from

from gateway import Circuit, IQMBackend
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


@pytest.fixture
def server() -> Iterator[IqmServer]:
    with IqmServer() as server:
        yield server


@pytest.fixture
def backend(server: IqmServer) -> Iterator[IQMBackend]:
    with IQMBackend(TOKEN, MACHINE, server_url=server.url) as backend:
        yield backend


# ---------------------------------------------------------------------------- fake backends


@pytest.mark.parametrize("fake", [IQMFakeAdonis, IQMFakeApollo, IQMFakeDeneb])
def test_a_fake_machine_runs_what_is_transpiled_for_it(fake):
    backend = IQMBackend(None, fake())
    circuit = Circuit(9, 12).x(8).cx(8, 0).measure(8, 11).measure(0, 3).measure(4, 0).cx(0, 4).measure(4, 10)
    counts = backend.run(circuit, shots=1000)
    assert counts.width == 12
    assert counts.most_common(1)[0][0] == "110000001000"
    assert counts.provenance.simulator == fake().name
    assert backend.capabilities().max_qubits == fake().num_qubits


def test_mid_circuit_measurement_runs_and_what_a_machine_lacks_is_refused():
    backend = IQMBackend(None, IQMFakeAdonis())
    counts = backend.run(Circuit(1, 2).x(0).measure(0, 1).x(0).measure(0, 0), shots=1000)
    assert counts.most_common(1)[0][0] == "10"
    with pytest.raises(UnsupportedError, match=r"operation 7 \(x 2\): IQMFakeAdonisBackend has no classical control"):
        backend.run(teleportation())
    with pytest.raises(UnsupportedError, match="has no reset"):
        backend.run(Circuit(1).reset(0).measure_all())
    with pytest.raises(UnsupportedError, match="cannot be seeded"):
        backend.run(bell(), seed=1)
    with pytest.raises(JobNotFound, match="keeps no jobs"):
        backend.job(str(uuid.uuid4()))
    assert backend.status().online


# ---------------------------------------------------------------------------- over HTTP


@pytest.mark.parametrize("seed", range(6))
def test_a_circuit_of_any_gates_agrees_with_the_reference(backend: IQMBackend, seed):
    circuit = random_circuit(seed, 4, 20).measure_all()
    assert_drawn_from(backend.run(circuit, shots=SHOTS), distribution(circuit))


@pytest.mark.parametrize("level", [0, 1, 2, 3])
def test_routing_keeps_each_clbit_its_place(server: IqmServer, level):
    backend = IQMBackend(TOKEN, MACHINE, server_url=server.url, optimization_level=level)
    circuit = Circuit(5, 7).ry(0.7, 0).cx(0, 1).cx(1, 2).cx(2, 3).cx(3, 4).cx(4, 0).x(2)
    circuit.measure(0, 6).measure(2, 1).measure(4, 3)
    assert_drawn_from(backend.run(circuit, shots=SHOTS), distribution(circuit))


def test_circuits_of_a_request_are_one_job(backend: IQMBackend, server: IqmServer):
    found = backend.run([bell(), Circuit(1).x(0).measure_all()], shots=50)
    assert [counts.shots for counts in found] == [50, 50]
    assert found[1] == {"1": 50}
    assert len(server.jobs) == 1


def test_more_shots_than_the_machine_runs_at_once_become_jobs_that_are_added_up(backend: IQMBackend, server: IqmServer):
    counts = backend.run(bell(), shots=50_001)
    assert counts.shots == 50_001
    assert set(counts) == {"00", "11"}
    sent = [(job["payload"]["shots"], len(job["payload"]["circuits"])) for job in server.jobs.values()]
    assert sent == [(20_000, 2), (10_001, 1)]


def test_the_servers_own_limit_comes_back_in_its_words(server: IqmServer):
    generous = IQMBackend(TOKEN, MACHINE, server_url=server.url, max_shots=1_000_000)
    with pytest.raises(RequestError, match=r"adonis: .*at most 20000 shots are run at once"):
        generous.run(bell(), shots=20_001)


def test_provenance_has_the_calibration_set(backend: IQMBackend, server: IqmServer):
    found = backend.run(bell(), shots=10).provenance
    assert found.simulator == MACHINE
    assert found.version.endswith(f", calibration set {server.calibration_set_id}")
    assert found.version.startswith("iqm-client ")
    assert (found.shots, found.seed) == (10, None)
    assert min(found.build_s, found.run_s) > 0


def test_another_calibration_set_is_followed(backend: IQMBackend, server: IqmServer):
    before = backend.run(bell(), shots=10).provenance.version
    fresh = server.recalibrate()
    after = backend.run(bell(), shots=10).provenance.version
    assert fresh not in before
    assert after.endswith(fresh)
    assert [job["payload"]["calibration_set_id"] for job in server.jobs.values()][1] == fresh


def test_a_calibration_set_of_ones_own_is_kept(server: IqmServer):
    first = server.calibration_set_id
    backend = IQMBackend(TOKEN, MACHINE, server_url=server.url, calibration_set_id=first)
    server.recalibrate()
    assert backend.run(bell(), shots=10).provenance.version.endswith(first)


def test_a_calibration_that_changes_while_circuits_are_prepared_is_said_and_nothing_is_run(
    backend: IQMBackend, server: IqmServer
):
    server.after_architecture = server.recalibrate  # right after we looked
    with pytest.raises(BusyError, match="adonis was calibrated anew while the circuits were prepared: run them again"):
        backend.run(bell(), shots=10)
    assert not server.jobs
    server.after_architecture = lambda: None
    assert backend.run(bell(), shots=10).shots == 10


def test_an_unknown_calibration_set_is_refused(server: IqmServer):
    with pytest.raises(RequestError, match="there is no calibration set"):
        IQMBackend(TOKEN, MACHINE, server_url=server.url, calibration_set_id=uuid.uuid4())
    with pytest.raises(RequestError, match="the name of a calibration set is a UUID, not 'latest'") as caught:
        IQMBackend(TOKEN, MACHINE, server_url=server.url, calibration_set_id="latest")
    assert caught.value.field == "calibration_set_id"


def test_options_reach_the_server(server: IqmServer):
    options = CircuitCompilationOptions(max_circuit_duration_over_t2=0.25)
    backend = IQMBackend(TOKEN, MACHINE, server_url=server.url, use_timeslot=True, compilation_options=options)
    backend.run(bell(), shots=10)
    assert server.timeslots == 1
    assert next(iter(server.jobs.values()))["payload"]["max_circuit_duration_over_t2"] == 0.25


# ---------------------------------------------------------------------------- what can be wrong


@pytest.mark.parametrize("token", ["wrong", None])
def test_a_wrong_or_missing_token_is_refused(server: IqmServer, token):
    with pytest.raises(AuthenticationError, match="the access token is not valid"):
        IQMBackend(token, MACHINE, server_url=server.url)


def test_an_unknown_machine_is_refused_and_the_known_ones_are_named(server: IqmServer):
    with pytest.raises(RequestError, match=r'"garnet" does not exist.*adonis'):
        IQMBackend(TOKEN, "garnet", server_url=server.url)


def test_a_machine_need_not_be_named_where_there_is_one(server: IqmServer):
    assert IQMBackend(TOKEN, server_url=server.url).run(bell(), shots=10).provenance.simulator == MACHINE


def test_a_server_that_is_not_there_cannot_be_reached():
    with IqmServer() as gone:
        pass
    with pytest.raises(TransportError, match="adonis: "):
        IQMBackend(TOKEN, MACHINE, server_url=gone.url)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, AuthenticationError),
        (403, AuthenticationError),
        (404, RequestError),
        (413, LimitError),
        (422, RequestError),
        (429, BusyError),
        (500, SimulatorError),
        (502, TransportError),
        (503, BusyError),
        (504, TransportError),
    ],
)
def test_what_the_server_refuses_becomes_an_error_of_ours_with_its_words(
    backend: IQMBackend, server: IqmServer, status, error
):
    server.refuses = Refused(status, "some_code", "words of the server")
    with pytest.raises(error, match="words of the server"):
        backend.run(bell())
    server.refuses = None
    assert backend.run(bell(), shots=10).shots == 10


def test_more_qubits_than_the_machine_has_are_refused_here(backend: IQMBackend, server: IqmServer):
    circuit = Circuit(6)
    for qubit in range(6):
        circuit.h(qubit)
    with pytest.raises(LimitError, match="uses 6 qubits; adonis has 5"):
        backend.run(circuit.measure_all())
    assert not server.jobs


# ---------------------------------------------------------------------------- jobs


def test_a_job_waits_in_the_queue_and_is_found_again(backend: IQMBackend, server: IqmServer):
    server.hold = True
    job = backend.run_async([bell(), bell()], shots=30_000)
    assert job.status() is JobState.QUEUED
    with pytest.raises(JobTimeout, match="the job goes on"):
        job.result(0.05)
    server.hold = False
    assert job.status() is JobState.DONE
    again = backend.job(job.id).result()
    assert again == job.result()
    assert [counts.shots for counts in again] == [30_000, 30_000]
    assert again[0].provenance.version == job.result()[0].provenance.version


def test_a_failed_job_says_what_the_server_said(backend: IQMBackend, server: IqmServer):
    server.fails = [{"source": "iqm-station-control", "error_code": "qpu_error", "message": "the fridge is warm"}]
    job = backend.run_async(bell())
    assert job.status() is JobState.FAILED
    with pytest.raises(SimulatorError, match=r"adonis failed: .*qpu_error: the fridge is warm") as caught:
        job.result()
    assert "the fridge is warm" in caught.value.detail


def test_a_job_is_cancelled_there(backend: IQMBackend, server: IqmServer):
    server.hold = True
    job = backend.run_async(bell())
    assert job.cancel()
    assert [each["status"] for each in server.jobs.values()] == ["cancelled"]
    with pytest.raises(JobCancelled, match="of adonis was cancelled"):
        job.result()


def test_a_run_past_its_deadline_is_cancelled_there(backend: IQMBackend, server: IqmServer):
    server.hold = True
    with pytest.raises(JobTimeout, match=r"adonis had no result after 0\.1 s; the job .* was cancelled"):
        backend.run(bell(), timeout_s=0.1)
    assert [each["status"] for each in server.jobs.values()] == ["cancelled"]


def test_a_job_that_has_ended_stays_as_it_is(backend: IQMBackend):
    job = backend.run_async(bell(), shots=10)
    assert job.result().shots == 10
    assert not job.cancel()


@pytest.mark.parametrize("name", ["nonsense", str(uuid.UUID(int=7))])
def test_an_unknown_job_is_said_to_be_unknown(backend: IQMBackend, name):
    with pytest.raises(JobNotFound, match=f"adonis has no job '{name}'"):
        backend.job(name)


def test_a_server_that_answers_nonsense_about_a_job_does_not_say_that_there_is_none(
    backend: IQMBackend, monkeypatch: pytest.MonkeyPatch
):
    def retrieve_job(_id: str):
        raise json.JSONDecodeError("Expecting value", "<html>", 0)  # a ValueError

    monkeypatch.setattr(backend.backend, "retrieve_job", retrieve_job)
    with pytest.raises(TransportError, match="Expecting value"):
        backend.job(str(uuid.UUID(int=7)))


def test_the_server_says_how_the_machine_is(backend: IQMBackend, server: IqmServer):
    status = backend.status()
    assert (status.name, status.online, status.message) == (MACHINE, True, '{"cryostat": "cold"}')
    assert "cz" in backend.native_gates()
    server.refuses = Refused(503, "maintenance", "back on Monday")
    status = backend.status()
    assert not status.online
    assert "back on Monday" in status.message


def test_a_copy_opens_its_own_connection(backend: IQMBackend):
    copy = pickle.loads(pickle.dumps(backend))  # noqa: S301
    assert copy.run(bell(), shots=10).shots == 10
