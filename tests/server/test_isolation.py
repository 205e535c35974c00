"""A run that fails, hangs or crashes harms no other run."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from support.fake import TARGET, Does, fake
from support.raw import Server, alive, run_body, wait_for_end
from support.waiting import wait_until

from gateway.backends.local import LocalSimulator
from gateway.backends.process import ServerProcess
from gateway.errors import (
    BusyError,
    GatewayError,
    JobTimeout,
    OutOfMemory,
    SimulatorCrashed,
    SimulatorError,
    SimulatorNotInstalled,
)
from gateway.protocol.messages import ServerLimits


@pytest.mark.parametrize(
    ("does", "amount", "exit_code", "named"),
    [
        (Does.KILL_ITSELF, 0, -signal.SIGKILL, "SIGKILL"),
        (Does.ABORT, 0, -signal.SIGABRT, "SIGABRT"),
        (Does.SYS_EXIT, 3, 3, "exit code 3"),
        (Does.SYS_EXIT, 0, 0, "exit code 0"),
        (Does.EXIT_AT_ONCE, 4, 4, "exit code 4"),
        (Does.INTERRUPT, 0, 1, "exit code 1"),
        (Does.EXIT_AT_ONCE, 0, 0, "exit code 0"),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_a_crash_fails_its_own_run_and_no_other(fake_server: Server, does, amount, exit_code, named):
    with fake_server.client(timeout_s=15) as client:
        neighbour = client.run_async(fake(Does.WAIT))
        fake_server.wait_until_doing(Does.WAIT)
        with pytest.raises(SimulatorCrashed, match=named) as caught:
            client.run(fake(does, amount))
        assert caught.value.exit_code == exit_code
        fake_server.let_go()
        assert neighbour.result(10).shots == 1024
        assert client.run(fake(Does.ECHO, 7)) == {"00000111": 1024}


def test_crashes_one_after_the_other_are_each_told_apart(fake_server: Server):
    def crash(_: int) -> str:
        with fake_server.client(timeout_s=15) as client, pytest.raises(SimulatorCrashed, match="SIGKILL") as caught:
            client.run(fake(Does.KILL_ITSELF))
        return str(caught.value)

    with ThreadPoolExecutor(4) as threads:
        assert len(list(threads.map(crash, range(24)))) == 24
    assert fake_server.run(run_body()).status == 200


@pytest.mark.parametrize("does", [Does.SLEEP, Does.SLEEP_WITH_GIL], ids=lambda does: does.name)
def test_a_run_past_its_deadline_is_killed_and_the_next_is_served(fake_server: Server, does):
    with fake_server.client() as client:
        before = fake_server.processes()
        with pytest.raises(JobTimeout, match=r"longer than 0\.3 s") as caught:
            client.run(fake(does, 3600), timeout_s=0.3)
        assert caught.value.timeout_s == 0.3
        wait_until(lambda: sum(map(alive, before)) == len(before) - 1, "the end of the one process that ran it")
        assert client.run(fake(Does.ECHO, 3)) == {"00000011": 1024}


def test_health_is_answered_while_every_worker_holds_its_gil(fake_server: Server):
    with fake_server.client() as client:
        jobs = [client.run_async(fake(Does.SLEEP_WITH_GIL, 15)) for _ in range(2)]
        fake_server.wait_until_doing(Does.SLEEP_WITH_GIL, 2)
        reply = fake_server.request("GET", "/healthz")
        assert (reply.status, reply.json) == (200, {"status": "ok"})
        assert client.status().online
        assert len(fake_server.doing(Does.SLEEP_WITH_GIL)) == 2, "they hold it still"
        assert all(job.cancel() for job in jobs)


@pytest.mark.parametrize("kill", [signal.SIGKILL, signal.SIGSEGV])
def test_idle_workers_killed_from_outside_are_replaced(fake_server: Server, kill):
    with fake_server.client() as client:
        victims = set()
        while len(victims) < 2:
            victims.add(int(client.run(fake(Does.SLEEP, 0.01)).provenance.version))
        for pid in victims:
            os.kill(pid, kill)
        wait_for_end(victims)
        for amount in range(4):
            assert client.run(fake(Does.ECHO, amount)) == {format(amount, "08b"): 1024}


def test_an_http_process_killed_from_outside_is_replaced_with_its_workers(fake_server: Server):
    arbiter = fake_server.process.pid
    with fake_server.client() as client:
        worker = int(client.run(fake()).provenance.version)
    before = fake_server.processes() - {arbiter}
    (http_process,) = (pid for pid in before if _parent(pid) == arbiter and _is_ancestor(pid, worker))
    os.kill(http_process, signal.SIGKILL)
    wait_for_end(before)

    def served() -> bool:
        try:
            return fake_server.run(run_body()).status == 200
        except OSError:
            return False

    wait_until(served, "another HTTP process that answers")


@pytest.mark.parametrize(
    ("does", "amount", "error", "message"),
    [
        (Does.RAISE, 0, SimulatorError, "fake failed: ArithmeticError: the fake was told to raise"),
        (Does.WRONG_WIDTH, 0, SimulatorError, "broke the contract: bitstrings of 9 bits for 8 clbits"),
        (Does.WRONG_SUM, 0, SimulatorError, "broke the contract: 1025 outcomes for 1024 shots"),
        (Does.ALLOCATE, 2**60, OutOfMemory, "ran out of memory"),
        (Does.PANIC, 0, GatewayError, "failed unexpectedly"),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_a_failure_inside_python_keeps_the_worker(fake_server: Server, does, amount, error, message):
    with fake_server.client() as client:
        before = fake_server.processes()
        with pytest.raises(GatewayError, match=message) as caught:
            client.run(fake(does, amount))
        assert type(caught.value) is error
        assert client.run(fake()).shots == 1024
        assert fake_server.processes() == before


def test_a_failure_is_a_problem_in_json_and_its_traceback_stays_in_the_log(fake_server: Server):
    reply = fake_server.run(run_body(fake(Does.PANIC)))
    assert reply.status == 500
    assert reply.headers["Content-Type"] == "application/problem+json"
    assert reply.json["code"] == "internal-error"
    assert b"Traceback" not in reply.body
    assert "the fake was told to panic" in fake_server.process.log()


def test_the_own_words_of_a_simulator_travel_beside_the_message(fake_server: Server):
    with fake_server.client() as client, pytest.raises(SimulatorError, match=r"^fake failed: ") as caught:
        client.run(fake(Does.RAISE))
    assert caught.value.detail == "the fake was told to raise"
    assert caught.value.simulator == "fake"


def test_runs_get_one_thread_each_unless_more_are_asked_for(fake_server: Server):
    with fake_server.client() as client:
        assert client.run(fake(Does.TELL_THREADS)) == {"00000001": 1024}


@pytest.fixture(scope="module")
def narrow_server() -> Iterator[Server]:
    process = ServerProcess(target=TARGET, workers=1, limits=ServerLimits(max_queue=1, timeout_s=60))
    process.start()
    yield Server(process)
    process.stop()


def test_a_full_queue_is_said_at_once_and_when_to_come_back(narrow_server: Server):
    with narrow_server.client() as client:
        threads = ThreadPoolExecutor(2)
        under_way = [threads.submit(client.run, fake(Does.WAIT)) for _ in range(2)]
        narrow_server.wait_until_doing(Does.WAIT)
        wait_until(
            lambda: b"gateway_waiting_runs 1.0" in narrow_server.request("GET", "/metrics").body, "one that waits"
        )
        reply = narrow_server.run(run_body())
        assert reply.status == 503
        assert reply.headers["Retry-After"] == "1"
        assert reply.json["code"] == "busy"
        with pytest.raises(BusyError, match="no more are queued") as caught:
            client.run(fake())
        assert caught.value.retry_after_s == 1.0
        (first,) = narrow_server.doing(Does.WAIT)
        narrow_server.let_go()
        wait_until(lambda: any(future.done() for future in under_way), f"the end of the run in process {first}")
        narrow_server.wait_until_doing(Does.WAIT)
        narrow_server.let_go()
        assert [future.result(60).shots for future in under_way] == [1024, 1024]
        assert client.run(fake()).shots == 1024


def test_status_is_answered_while_the_only_worker_is_busy(narrow_server: Server):
    with narrow_server.client() as client:
        job = client.run_async(fake(Does.WAIT))
        narrow_server.wait_until_doing(Does.WAIT)
        assert client.status().online
        assert narrow_server.doing(Does.WAIT), "it is busy still"
        narrow_server.let_go()
        job.result(60)


def test_the_wait_for_a_worker_counts_against_the_deadline(narrow_server: Server):
    with narrow_server.client() as client:
        first = client.run_async(fake(Does.WAIT))
        narrow_server.wait_until_doing(Does.WAIT)
        with pytest.raises(JobTimeout, match=r"no worker became free within the 0\.5 s of the run") as caught:
            client.run(fake(), timeout_s=0.5)
        assert caught.value.timeout_s == 0.5
        second = client.run_async(fake(amount=1), timeout_s=0.5)  # waits with the job, which has a thread of its own
        narrow_server.let_go()
        assert [first.result(60).shots, second.result(60).shots] == [1024, 1024]


def test_a_simulator_that_is_not_installed_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    hidden = "raise ModuleNotFoundError(\"No module named 'qulacs'\", name='qulacs')"
    (tmp_path / "qulacs.py").write_text(hidden)
    monkeypatch.syspath_prepend(tmp_path)  # the server looks where this process does
    simulator = LocalSimulator("qulacs", workers=1)
    with pytest.raises(SimulatorNotInstalled, match=r"pip install 'simulator-gateway\[qulacs\]'") as caught:
        simulator.start()
    assert (caught.value.status, caught.value.simulator, caught.value.requirement) == (503, "qulacs", "qulacs")
    assert isinstance(caught.value, ImportError)


def test_an_adapter_that_cannot_be_loaded_says_why_and_leaves_no_server():
    process = ServerProcess(target="support.fake:BrokenAdapter", workers=1)
    with pytest.raises(GatewayError, match=r"OSError: libbroken\.so: undefined symbol"):
        process.start()
    assert not process.running


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def _is_ancestor(ancestor: int, pid: int) -> bool:
    while pid > 1:
        pid = _parent(pid)
        if pid == ancestor:
            return True
    return False


def test_a_server_is_ready_when_its_simulator_is_imported_and_alive_before_that():
    process = ServerProcess(target="support.fake:SlowlyImported", workers=1)
    starting = threading.Thread(target=process.start)
    starting.start()
    try:
        url = _address(process)
        seen = []

        def ready() -> bool:
            seen.append((_status(f"{url}/healthz"), _status(f"{url}/readyz")))
            return seen[-1] == (200, 200)

        wait_until(ready, "a server that is ready")
        assert (200, 503) in seen
    finally:
        starting.join()
        process.stop()


def _address(process: ServerProcess) -> str:
    wait_until(lambda: process.port, "a port")
    return f"http://127.0.0.1:{process.port}"


def _status(url: str) -> int:
    try:
        return requests.get(url, timeout=10).status_code
    except requests.ConnectionError:
        return 0
