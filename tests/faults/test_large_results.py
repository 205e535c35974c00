"""Results that are large cost whoever asks for them, and not the server: real servers, and their memory."""

from __future__ import annotations

import contextlib
import socket
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.raw import descendants

from gateway import BackendClient, BackendServer, Circuit
from gateway.backends.job import Job
from gateway.free_memory import resident_bytes

WIDTH, SHOTS, CIRCUITS = 20_000, 400, 8
EACH = WIDTH * SHOTS
READERS = 20


@contextlib.contextmanager
def served(**options: object) -> Iterator[BackendServer]:
    def every_shot_differs(circuit, shots, seed=None):
        return {format(k, "b").zfill(circuit.num_clbits): 1 for k in range(shots)}

    with BackendServer(every_shot_differs, port=0, workers=1, **options) as started:
        yield started


@pytest.fixture(scope="module")
def server() -> Iterator[BackendServer]:
    with served() as started:
        yield started


@pytest.fixture(scope="module")
def job(server: BackendServer) -> Job:
    with BackendClient(port=server.port) as client:
        job = client.run_async([Circuit(1, WIDTH).measure(0, 0)] * CIRCUITS, shots=SHOTS)
        assert sum(map(len, job.result(120))) == CIRCUITS * SHOTS
        return job


def memory(server: BackendServer) -> int:
    """Return the resident bytes of the process that takes HTTP requests."""
    http_process = min(descendants(server._process.pid))
    return resident_bytes(http_process) or 0


def sent_before_stalling(port: int, path: str) -> socket.socket:
    """Return a connection that has taken the beginning of a response, and takes no more."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(60)
    connection.connect(("127.0.0.1", port))
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    assert connection.recv(12) == b"HTTP/1.1 200"
    return connection


@pytest.mark.parametrize("path", ["", "/results/5"])
def test_readers_that_stall_cost_a_little_each_however_large_the_result_is(server: BackendServer, job: Job, path: str):
    before = memory(server)
    with contextlib.ExitStack() as open_connections:
        for _ in range(READERS):
            open_connections.enter_context(sent_before_stalling(server.port, f"/v1/jobs/{job.id}{path}"))
        assert memory(server) - before < READERS * 2**21 < READERS * EACH // 3


def test_asking_for_the_state_transfers_no_results_and_results_come_one_by_one(server: BackendServer, job: Job):
    before = memory(server)
    with BackendClient(port=server.port) as client:
        found = client.job(job.id)
        for _ in range(20):
            assert found.status().ended
        assert found._info.results is None
        assert found._info.result_bytes > CIRCUITS * EACH
        assert [len(counts) for counts in found.result(60)] == [SHOTS] * CIRCUITS
    assert memory(server) - before < 3 * EACH < CIRCUITS * EACH


def test_a_result_that_goes_while_it_is_sent_breaks_the_connection_off(tmp_path: Path):
    with served(jobs=tmp_path / "jobs.sqlite") as server:
        with BackendClient(port=server.port) as client:
            job = client.run_async(Circuit(1, WIDTH).measure(0, 0), shots=SHOTS)
            job.result(60)
        with sent_before_stalling(server.port, f"/v1/jobs/{job.id}") as reader:
            with contextlib.closing(sqlite3.connect(tmp_path / "jobs.sqlite")) as database, database:
                database.execute("DELETE FROM pieces")
            size = 0
            with contextlib.suppress(ConnectionError):
                while piece := reader.recv(2**20):
                    size += len(piece)
        assert size < EACH, "and nobody takes it for whole, since its Content-Length says more"
