"""What a function starts ends with the worker of its run, and what it leaves in the pipe is nobody's answer."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.leftovers import (
    CLOSES,
    FORGETS_PATHS,
    FORKS,
    FORKS_IN_C,
    KINDS,
    LOWERS_LIMIT,
    UNIMPORTS,
    WRITES,
    Starting,
    answering_twice,
)
from support.raw import Server, descendants, wait_for_end
from support.waiting import wait_until

from gateway.backends.client import BackendClient
from gateway.backends.server import BackendServer
from gateway.circuit import Circuit
from gateway.errors import JobTimeout, SimulatorCrashed
from gateway.protocol.messages import ServerLimits

M = Circuit(4).measure_all()


@pytest.fixture
def starting(tmp_path: Path) -> Iterator[Callable[[str], Starting]]:
    yield lambda then: Starting(tmp_path, then)
    for pid in Starting(tmp_path, "").started():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def assert_right(client: BackendClient) -> None:
    for seed in (3, 4, 5):
        assert client.run(M, shots=seed, seed=seed) == {format(seed, "04b"): seed}


@pytest.mark.parametrize("then", ["sleep", "crash", "exit"])
def test_all_that_a_function_started_ends_with_a_late_or_crashed_run(starting, then: str):
    family = starting(then)
    with BackendServer(family, port=0, workers=1) as server, BackendClient(port=server.port) as client:
        with pytest.raises(JobTimeout if then == "sleep" else SimulatorCrashed):
            client.run(M, seed=0, timeout_s=5)
        assert len(family.started()) == len(KINDS)
        wait_for_end(family.started())
        assert_right(client)


def test_all_that_a_function_started_ends_with_a_cancel(starting):
    family = starting("sleep")
    with BackendServer(family, port=0, workers=1) as server, BackendClient(port=server.port) as client:
        job = client.run_async(M, seed=0)
        wait_until(lambda: len(family.started()) == len(KINDS), "all processes")
        assert job.cancel()
        wait_for_end(family.started())
        assert_right(client)


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_what_runs_on_after_an_answer_ends_with_the_server(starting, end: str):
    family = starting("return")
    server = BackendServer(family, port=0, workers=1)
    server.start()
    arbiter = server._process.pid or 0
    with BackendClient(port=server.port) as client:
        assert client.run(M, shots=2, seed=0) == {"0000": 2}
        assert_right(client)
        assert len(family.started()) == len(KINDS)
        assert family.started() <= descendants(arbiter), "they may go on while the worker lives"
    if end == "kill":
        pids = Server(server._process).processes()
        for pid in (arbiter, *(pid for pid in pids if _parent(pid) == arbiter)):
            os.kill(pid, signal.SIGKILL)
        wait_for_end(pids)
    server.stop()
    wait_for_end(family.started())


def test_what_runs_on_after_an_answer_ends_when_its_worker_is_replaced(starting):
    family = starting("return")
    server = BackendServer(family, port=0, workers=1, limits=ServerLimits(runs_per_worker=2))
    with server, BackendClient(port=server.port) as client:
        client.run(M, seed=0)
        assert_right(client)
        wait_for_end(family.started())


def test_what_runs_on_ends_although_its_keeper_is_killed(starting):
    family = starting("return")
    with BackendServer(family, port=0, workers=1) as server, BackendClient(port=server.port) as client:
        client.run(M, seed=0)
        keeper = _parent(_parent(int((family.folder / "program").read_text())))
        os.kill(keeper, signal.SIGKILL)
        wait_for_end(family.started())


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def test_a_function_that_forks_and_returns_twice_gives_nobody_else_its_answer():
    with BackendServer(answering_twice, port=0, workers=1) as server, BackendClient(port=server.port) as client:
        for seed in (FORKS, FORKS_IN_C, FORKS, FORKS_IN_C):
            assert client.run(M, shots=9, seed=seed) == {format(seed, "04b"): 9}
            assert_right(client)


@pytest.mark.parametrize("seed", [WRITES, CLOSES])
def test_a_function_that_writes_into_or_closes_the_pipe_fails_alone(seed: int):
    with BackendServer(answering_twice, port=0, workers=1) as server, BackendClient(port=server.port) as client:
        with pytest.raises(SimulatorCrashed, match="the simulator's process"):
            client.run(M, seed=seed)
        assert_right(client)


def test_a_function_that_spoils_its_process_spoils_no_other_run():
    with BackendServer(answering_twice, port=0, workers=1) as server, BackendClient(port=server.port) as client:
        for seed in (UNIMPORTS, FORGETS_PATHS, LOWERS_LIMIT):
            assert client.run(M, shots=9, seed=seed) == {format(seed, "04b"): 9}
            assert_right(client)
        metrics = Server(server._process).request("GET", "/metrics").body.decode()
        assert 'gateway_worker_restarts_total{reason="damaged"} 3.0' in metrics
