"""Runs that take memory, time, the interpreter lock or their process: the promises of one server about them."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support.fake import TARGET, Does, fake
from support.raw import Server, alive, port_to_keep, run_body, wait_for_end
from support.waiting import wait_until

from gateway.backends.base import Job
from gateway.backends.client import BackendClient
from gateway.backends.process import ServerProcess
from gateway.errors import OutOfMemory, SimulatorCrashed, TransportError
from gateway.protocol.messages import ServerLimits
from gateway.simulators import find

GUNICORN_TIMEOUT_S = 60
PROBLEM = "application/problem+json"
V2 = 'OPENQASM 2.0;\ninclude "qelib1.inc";\n'


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Three workers that may allocate 600 MB each."""
    limits = ServerLimits(timeout_s=100, worker_memory_bytes=600 * 2**20, max_queue=300)
    process = ServerProcess(target=TARGET, workers=3, limits=limits)
    process.start()
    yield Server(process)
    process.stop()


@pytest.fixture(scope="module", autouse=True)
def holding(server: Server) -> Iterator[Job]:
    """A run that holds its interpreter's lock for longer than gunicorn lets a worker be silent."""
    with server.client() as client:
        yield client.run_async(fake(Does.SLEEP_WITH_GIL, GUNICORN_TIMEOUT_S + 5))


def test_promise_1_a_run_over_its_memory_is_told_so_and_the_workers_stay(server: Server):
    with server.client() as client:
        client.run(fake())
        before = server.processes()
        for _ in range(3):
            with pytest.raises(OutOfMemory, match="memory") as caught:
                client.run(fake(Does.ALLOCATE, 2**30))
            assert caught.value.status == 507
        assert server.run(run_body(fake(Does.ALLOCATE, 2**20, clbits=24))).status == 200, "within its memory it runs"
        assert server.processes() == before


def test_promise_2_meanwhile_all_others_are_answered(server: Server):
    stop = threading.Event()

    def exhaust() -> int:
        failed = 0
        with server.client() as client:
            while not stop.is_set():
                with pytest.raises(OutOfMemory):
                    client.run(fake(Does.ALLOCATE, 2**30))
                failed += 1
        return failed

    with ThreadPoolExecutor(5) as threads:
        exhausting = threads.submit(exhaust)
        answers = list(threads.map(lambda number: server.run(run_body(fake(amount=number % 256))), range(200)))
        stop.set()
        assert exhausting.result(30) > 0
    assert [answer.status for answer in answers] == [200] * 200


def test_promise_3_a_run_over_its_time_is_gone_within_a_second(server: Server):
    before = server.processes()
    reply = server.run(run_body(fake(Does.SLEEP, 3600), timeout_s=0.3))
    assert (reply.status, reply.json["code"]) == (504, "job-timeout")
    wait_until(lambda: [alive(pid) for pid in before].count(False) == 1, "the end of the one process that ran it")


@pytest.mark.parametrize("sent", [signal.SIGSEGV, signal.SIGBUS, signal.SIGKILL])
def test_promise_5_a_process_that_crashes_is_an_answer_and_no_dropped_connection(sent: signal.Signals):
    process = ServerProcess(target=TARGET, workers=1)
    process.start()
    server = Server(process)
    with server.client() as client, ThreadPoolExecutor(1) as threads:
        worker = int(client.run(fake()).provenance.version)
        running = threads.submit(client.run, fake(Does.SLEEP, 60))
        assert server.wait_until_doing(Does.SLEEP) == {worker}
        os.kill(worker, sent)
        with pytest.raises(SimulatorCrashed, match=sent.name):
            running.result(20)
        assert client.run(fake()).shots == 1024
    process.stop()


DEEP = 200_000
DOUBLED = "gate g0 a { x a; }" + "".join(f"gate g{k} a {{ g{k - 1} a; g{k - 1} a; }}" for k in range(1, 41))


@pytest.mark.parametrize(
    "text",
    [
        V2 + "qreg q[1];\nrx(" + "(" * DEEP + "1" + ")" * DEEP + ") q[0];",
        "OPENQASM 3.0;\nqubit q;\nrx(" + "(" * DEEP + "1" + ")" * DEEP + ") q;",
        "OPENQASM 3.0;\nqubit q;\nint a = " + "(" * DEEP + "1" + ")" * DEEP + ";",
        "OPENQASM 3.0;\nqubit q;\n" + "{" * DEEP + "}" * DEEP,
        "OPENQASM 3.0;\nqubit q;\nrx(" + "-" * DEEP + "1) q;",
    ],
    ids=["angle 2", "angle 3", "integer", "blocks", "signs"],
)
@pytest.mark.parametrize("simulator", ["mqt", "pytket"])
def test_promise_5_parentheses_that_end_a_librarys_parser_are_refused(simulators, simulator: str, text: str):
    reply = simulators[simulator].run(run_body(text))
    assert (reply.status, reply.headers["Content-Type"]) in {(400, PROBLEM), (413, PROBLEM)}


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        (V2 + "qreg q[1000000000];\nx q[0];", "qubits"),
        ("OPENQASM 3.0;\nqubit[1000000000] q;\nx q;", "qubits"),
        (V2 + DOUBLED + "qreg q[1]; g40 q[0];", "operations"),
        ("OPENQASM 3.0; qubit q; for int i in [0:1099511627776] { x q; }", "operations"),
    ],
    ids=["qubits 2", "qubits 3", "gates", "loop"],
)  # fmt: skip
@pytest.mark.parametrize("simulator", ["mqt", "pytket", "qiskit"])
def test_promise_8_size_is_counted_before_any_library_sees_the_text(simulators, simulator: str, text: str, limit: str):
    before = simulators[simulator].processes()
    reply = simulators[simulator].run(run_body(text))
    assert (reply.json["code"], reply.json["limit"]) == ("limit-exceeded", limit)
    assert simulators[simulator].processes() == before


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "/proc/self/environ",
        "../../etc/hostname",
        "qelib1.inc\0/etc/passwd",
        "file:///etc/passwd",
        "C:\\x",
    ],
)
@pytest.mark.parametrize("version", ["2.0", "3.0"])
@pytest.mark.parametrize("simulator", ["mqt", "qiskit"])
def test_promise_7_no_text_reads_a_file(simulators, simulator: str, path: str, version: str):
    reply = simulators[simulator].run(run_body(f'OPENQASM {version};\ninclude "{path}";\nqreg q[1];'))
    assert reply.status == 400
    for line in Path("/etc/passwd").read_text(encoding="utf-8").splitlines():
        assert line not in reply.body.decode()
    assert "PATH=" not in reply.body.decode()


def test_promise_23_a_server_killed_during_a_run_is_an_error_of_ours_and_a_job_has_one_result(tmp_path: Path):
    port = port_to_keep()
    first = ServerProcess(target=TARGET, workers=1, port=port, jobs=tmp_path / "jobs.sqlite", name="fake")
    first.start()
    with BackendClient(port=port) as client, ThreadPoolExecutor(2) as threads:
        running = threads.submit(client.run, fake(Does.SLEEP, 30))
        job = client.run_async(fake(Does.SLEEP, 0.5), shots=7)
        result = threads.submit(job.result, 60)
        group = Server(first).processes()
        # The first process goes first: it would replace another that ends before it, and that one would keep the port.
        for pid in sorted(group, key=lambda pid: pid != first.pid):
            os.kill(pid, signal.SIGKILL)
        with pytest.raises(TransportError):
            running.result(20)
        wait_for_end(group)
        second = ServerProcess(target=TARGET, workers=1, port=port, jobs=tmp_path / "jobs.sqlite", name="fake")
        second.start()
        assert result.result(60).shots == 7
        assert [found.id for found in client.jobs()] == [job.id]
        assert len(client.job_info(job.id).results or []) == 1
        second.stop()
    first.stop()


def test_promise_4_a_run_that_holds_its_lock_for_a_minute_ends_well(server: Server, holding: Job):
    """The last test of this file: gunicorn kills a worker that is silent for so long, were the run in it."""

    def over() -> bool:
        assert server.request("GET", "/healthz").status == 200
        return holding.done()

    wait_until(over, "the end of the run", deadline_s=200)
    assert holding.result(1).shots == 1024


@pytest.fixture(scope="module")
def simulators() -> Iterator[dict[str, Server]]:
    """Servers of the simulators whose libraries have parsers that crash, hang or read files."""
    started = {name: ServerProcess(target=find(name).adapter, workers=1) for name in ("mqt", "pytket", "qiskit")}
    for process in started.values():
        process.start()
    yield {name: Server(process) for name, process in started.items()}
    for process in started.values():
        process.stop()
