"""Servers and jobs survive processes that are killed, stopped, replaced, or out of memory."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support.fake import TARGET, Does, fake
from support.raw import wait_for_end
from support.supervised import Supervised, environment
from support.waiting import wait_until

from gateway.backends.client import BackendClient
from gateway.backends.server_job import ServerJob
from gateway.circuit import Circuit
from gateway.errors import (
    BusyError,
    GatewayError,
    JobCancelled,
    JobInterrupted,
    LimitError,
    OutOfMemory,
    TransportError,
)
from gateway.jobs.manager import MAX_ATTEMPTS
from gateway.protocol.messages import ServerLimits
from gateway.results import JobState
from gateway.simulators import find


@pytest.fixture
def server(tmp_path: Path):
    with Supervised(tmp_path / "jobs.sqlite", workers=2) as server:
        yield server


def attempts(server: Supervised, job: ServerJob) -> list[int]:
    """Return how often each circuit of a job was begun."""
    query = f"SELECT attempts FROM circuits JOIN jobs ON job = number WHERE id = '{job.id}' ORDER BY position"  # noqa: S608 - our own id
    return [found for (found,) in server.rows(query)]


@pytest.mark.parametrize("kill", ["http", "arbiter", "all"])
def test_nothing_simulates_on_for_a_server_that_was_killed(server: Supervised, kill: str):
    with server.client() as client:
        jobs = [client.run_async(fake(Does.SLEEP_WITH_GIL, 60)) for _ in range(2)]
        server.wait_until_doing(Does.SLEEP_WITH_GIL, 2)
        old = server.simulating() | {server.http_process()}
        {"http": server.kill_http, "arbiter": server.kill_arbiter, "all": server.kill_all}[kill]()
        wait_for_end(old)
        server.start()
        server.wait_until_doing(Does.SLEEP_WITH_GIL, 2)
        for job in jobs:
            assert job.cancel()
        assert attempts(server, jobs[0]) == [2], "the next server had taken it up"


def test_a_job_that_kills_the_server_is_given_up_and_takes_no_other_along(server: Supervised):
    with server.client() as client:
        beside = [client.run_async(fake(Does.SLEEP, 0.7), shots=k + 1) for k in range(2)]
        poison = client.run_async(fake(Does.KILL_THE_SERVER))
        beside += [client.run_async(fake(Does.SLEEP, 0.7), shots=k + 3) for k in range(6)]
        with pytest.raises(JobInterrupted, match=f"during each of {MAX_ATTEMPTS} attempts") as caught:
            poison.result(120)
        assert caught.value.attempts == MAX_ATTEMPTS
        assert [job.result(60) for job in beside] == [{"0" * 8: k + 1} for k in range(8)]
        assert attempts(server, poison) == [MAX_ATTEMPTS]


def test_in_a_list_only_the_circuit_that_kills_the_server_is_given_up(server: Supervised):
    with server.client() as client:
        circuits = [fake(amount=1), fake(Does.KILL_THE_SERVER), fake(Does.SLEEP, 0.5), fake(amount=4)]
        job = client.run_async(circuits, shots=5)
        outcomes = job.outcomes(120)
        assert job.status() is JobState.FAILED
    assert [outcomes[k] for k in (0, 2, 3)] == [{"00000001": 5}, {"00000000": 5}, {"00000100": 5}]
    assert isinstance(outcomes[1], JobInterrupted)
    assert outcomes[1].circuit == 1


def test_told_to_stop_a_server_ends_what_it_can_and_leaves_the_rest_to_the_next(server: Supervised):
    with server.client() as client:
        short, long = client.run_async(fake(Does.WAIT), shots=1), client.run_async(fake(Does.SLEEP, 8), shots=2)
        waiting = client.run_async(fake(amount=3), shots=3)
        server.wait_until_doing(Does.WAIT)
        server.wait_until_doing(Does.SLEEP)
        pids = server.processes()
        os.kill(server.process.pid, signal.SIGTERM)
        wait_until(lambda: _is_stopping(client), "the server to accept nothing more")
        server.let_go()
        wait_for_end(pids)
        states = dict(server.rows("SELECT id, state FROM jobs"))
        assert [states[job.id] for job in (short, long, waiting)] == ["done", "running", "queued"]
        server.start()
        assert long.result(60) == {"00001000": 2}
        assert waiting.result(60) == {"00000011": 3}
        assert short.result(60) == {"00000000": 1}
        assert [attempts(server, job) for job in (short, long, waiting)] == [[1], [2], [1]]


def test_a_cancelled_job_stays_cancelled_in_the_next_server(server: Supervised):
    with server.client() as client:
        job = client.run_async(fake(Does.SLEEP_WITH_GIL, 60))
        running = server.wait_until_doing(Does.SLEEP_WITH_GIL)
        assert job.cancel()
        wait_for_end(running)
        server.kill_all()
        server.start()
        again = client.job(job.id)
        assert again.status() is JobState.CANCELLED
        with pytest.raises(JobCancelled, match="cancelled"):
            again.result(10)


def _is_stopping(client: BackendClient) -> bool:
    """Say whether a server takes no more work: it says so, or it has stopped listening."""
    try:
        client.run_async(fake()).cancel()
    except BusyError as exc:
        return "the server is stopping" in str(exc)
    except TransportError:
        return True
    return False


def test_a_second_server_on_the_same_jobs_says_so_and_ends(server: Supervised):
    words = ["serve", "--adapter", TARGET, "--port", "0", "--jobs", f"sqlite:///{server.jobs}"]
    second = subprocess.run(
        [sys.executable, "-m", "gateway.cli", *words],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert second.returncode not in {0, -signal.SIGKILL}
    assert f"another server uses the job database {server.jobs}: stop it, or give this one another" in second.stderr
    with server.client() as client:
        assert client.run_async(fake(amount=5), shots=1).result(30) == {"00000101": 1}


def test_workers_are_recycled_and_nobody_notices(tmp_path: Path):
    limits = ServerLimits(runs_per_worker=5)
    with Supervised(tmp_path / "jobs.sqlite", workers=2, limits=limits) as server, server.client() as client:

        def run(number: int) -> str:
            begin = client.run if number % 2 else lambda *a, **options: client.run_async(*a, **options).result(60)
            counts = begin(fake(amount=number % 256), shots=number + 1)
            assert counts == {format(number % 256, "08b"): number + 1}
            return counts.provenance.version

        with ThreadPoolExecutor(4) as threads:
            done_by = Counter(threads.map(run, range(100)))
        assert len(done_by) >= 20
        assert max(done_by.values()) <= 5
        metrics = server.request("GET", "/metrics").body.decode()
    assert 'gateway_worker_restarts_total{reason="recycled"}' in metrics
    assert metrics.count("gateway_worker_restarts_total{") == 1, "for no other reason"


def test_a_run_beyond_the_memory_ceiling_fails_alone(tmp_path: Path):
    limits = ServerLimits(worker_memory_bytes=2**29)
    with Supervised(tmp_path / "jobs.sqlite", workers=2, limits=limits) as server, server.client() as client:
        before = server.processes()
        neighbour = client.run_async(fake(Does.SLEEP, 0.9), shots=4)
        for run in (client.run, lambda circuit: client.run_async(circuit).result(30)):
            with pytest.raises(OutOfMemory, match="memory") as caught:
                run(fake(Does.ALLOCATE, 2**30))
            assert caught.value.status == 507
        assert client.run(fake(Does.ALLOCATE, 2**26, clbits=27), shots=1).shots == 1, "below the ceiling"
        assert neighbour.result(30) == {"0" * 8: 4}
        assert server.processes() == before, "nobody was killed for it"


def test_a_text_too_large_to_be_read_below_the_ceiling_is_said_to_be(tmp_path: Path):
    limits = ServerLimits(worker_memory_bytes=2**27)
    with Supervised(tmp_path / "jobs.sqlite", workers=1, limits=limits) as server, server.client() as client:
        before = server.processes()
        text = "OPENQASM 2.0; qreg q[1]; creg c[1]; " + "U(1,2,3) q[0]; " * 999_000 + "measure q -> c;"
        with pytest.raises(OutOfMemory, match="while the request was read: ask for fewer operations"):
            client.run(text, shots=1)
        assert client.run(fake(), shots=4).shots == 4
        assert server.processes() == before, "nobody was killed for it"


def test_a_simulator_beyond_the_memory_ceiling_leaves_the_http_process_alone(tmp_path: Path):
    limits = ServerLimits(worker_memory_bytes=2**29)
    target = find("qulacs").adapter
    with Supervised(tmp_path / "jobs.sqlite", target=target, workers=1, limits=limits) as server:
        http = server.http_process()
        with server.client() as client:
            with pytest.raises(GatewayError, match=r"memory|qubits") as caught:
                client.run(_entangled(27), shots=1)
            assert isinstance(caught.value, OutOfMemory | LimitError)
            assert client.run(_entangled(3), shots=1).shots == 1
        assert server.http_process() == http


def _entangled(qubits: int) -> Circuit:
    circuit = Circuit(qubits).h(0)
    for qubit in range(1, qubits):
        circuit.cx(0, qubit)
    return circuit.measure_all()


def test_a_sync_run_on_a_server_that_is_killed_gets_an_error_at_once(server: Supervised):
    with server.client() as client, ThreadPoolExecutor(1) as thread:
        running = thread.submit(_error_of, client)
        server.wait_until_doing(Does.SLEEP_WITH_GIL)
        server.kill_all()
        assert running.result(30) == "transport-error"


def _error_of(client: BackendClient) -> str:
    try:
        client.run(fake(Does.SLEEP_WITH_GIL, 60))
    except GatewayError as exc:
        return exc.code
    return ""
