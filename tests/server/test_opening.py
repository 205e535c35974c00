"""``gateway open`` as people type it: it starts simulators, keeps them running, and ends with all that it started."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from support.raw import descendants, port_to_keep, wait_for_end
from support.serving import environment
from support.waiting import DEADLINE_S, wait_until

from gateway.backends.client import BackendClient
from gateway.backends.process import ServerProcess
from gateway.circuit import Circuit
from gateway.cli import open as opening
from gateway.errors import ServerStartError
from gateway.listener import bind
from gateway.simulators import SIMULATORS, find

pytestmark = pytest.mark.slow

BELL = Circuit(2).h(0).cx(0, 1).measure_all()
_NO_ENGINE = "unix:///nobody-listens-here"
_OPEN = re.compile(r"the door is open at (\S+), with (.*) behind it")


class Opened:
    """A running ``gateway open``."""

    def __init__(self, folder: Path, *words: str, **variables: str) -> None:
        folder.mkdir(exist_ok=True)
        self._log = folder / "log"
        self.folder = folder
        command = [sys.executable, "-m", "gateway", "open", *words]
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                env=environment({"XDG_STATE_HOME": str(folder), "DOCKER_HOST": _NO_ENGINE, **variables}),
            )

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def wait(self) -> Opened:
        def found() -> re.Match[str] | None:
            assert self.process.poll() is None, self.log()
            return _OPEN.search(self.log())

        match = wait_until(found, lambda: f"the door to be open:\n{self.log()}")
        self.url, self.names = match[1], match[2].split(", ")
        return self

    def simulators(self) -> dict[str, dict[str, Any]]:
        listed = requests.get(f"{self.url}/v1/simulators", timeout=30).json()["simulators"]
        return {row["name"]: row for row in listed}

    def wait_until_ready(self, *names: str) -> None:
        wait_until(
            lambda: all(self.simulators()[name]["state"] == "ready" for name in names),
            lambda: f"{names} to be ready: {self.simulators()}\n{self.log()}",
        )

    def client(self, name: str) -> BackendClient:
        return BackendClient(f"{self.url}/v1/simulators/{name}")

    def server_of(self, name: str) -> int:
        """Return the process that the supervisor has started for a simulator, or for the door."""
        word = "open" if name == "the door" else name
        for pid in descendants(self.process.pid):
            with contextlib.suppress(OSError):
                parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
                words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                if parent == self.process.pid and word.encode() in words:
                    return pid
        return 0


@contextlib.contextmanager
def opened(folder: Path, *words: str, **variables: str) -> Iterator[Opened]:
    door = Opened(folder, *words, **variables)
    try:
        yield door.wait()
    finally:
        started = descendants(door.process.pid)
        door.process.terminate()
        assert door.process.wait(30) == 0, door.log()
        wait_for_end(started)


def two_that_do_not_run() -> list[str]:
    """Return two simulators whose ports are free, in the order of the registry: who runs already is not started."""
    free = []
    for name in SIMULATORS:
        with contextlib.suppress(ServerStartError):
            bind("127.0.0.1", find(name).port).close()
            free.append(name)
    assert len(free) > 1, "other servers have the ports of all simulators"
    return free[-2:]


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    names = two_that_do_not_run()
    with opened(tmp_path_factory.mktemp("door"), *reversed(names), "--port", "0") as running:
        running.wait_until_ready(*names)
        yield running


def test_simulators_stand_behind_the_door_in_the_order_of_the_registry(door: Opened):
    rows = door.simulators()
    assert list(rows) == door.names == [name for name in SIMULATORS if name in door.names]
    assert all(row["backend"]["name"] == name for name, row in rows.items())


def test_each_simulator_is_a_backend_through_the_door(door: Opened):
    for name in door.names:
        with door.client(name) as client:
            counts = client.run(BELL, shots=1000, seed=7)
            assert set(counts) == {"00", "11"}
            assert counts.provenance.simulator == name


def test_a_large_answer_is_the_same_through_the_door(door: Opened):
    circuit = Circuit(16)
    for qubit in range(16):
        circuit.ry(0.1 * (qubit + 1), qubit)
    with door.client(door.names[0]) as client:
        through = client.run(circuit, result="statevector")
        job = client.run_async(circuit, result="statevector")
        assert job.result() == through
    assert len(through.amplitudes) == 2**16
    assert abs(sum(abs(amplitude) ** 2 for amplitude in through.amplitudes) - 1) < 1e-9


def test_a_simulator_that_is_killed_is_started_again_and_keeps_its_jobs(door: Opened):
    name = door.names[1]
    with door.client(name) as client:
        job = client.run_async(BELL, shots=10)
        job.result()
        os.kill(door.server_of(name), signal.SIGKILL)
        wait_until(lambda: f"{name} has ended" in door.log(), door.log)
        door.wait_until_ready(name)
        assert sum(client.job(job.id).result().values()) == 10


def test_a_door_that_is_killed_is_started_again_and_requests_wait_meanwhile(door: Opened):
    before = door.server_of("the door")
    for pid in {before, *descendants(before)}:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    wait_for_end({before})
    assert requests.get(f"{door.url}/healthz", timeout=60).status_code == 200
    assert door.server_of("the door") not in {0, before}


def test_nothing_is_left_of_a_door_whose_supervisor_is_killed(tmp_path: Path):
    door = Opened(tmp_path, *two_that_do_not_run()[:1], "--port", "0").wait()
    started = descendants(door.process.pid)
    assert started
    door.process.kill()
    door.process.wait()
    wait_for_end(started)


def test_a_second_door_on_a_port_is_refused(door: Opened, tmp_path: Path):
    second = Opened(tmp_path, "stim", "--port", door.url.rpartition(":")[2])
    assert second.process.wait(60) == 1
    assert "is taken" in second.log()


def test_a_simulator_that_runs_on_its_own_port_is_used_and_no_other_server_is_taken_for_it():
    server = ServerProcess(target=find("stim").adapter)
    try:
        server.start()
        stim, qulacs = (dataclasses.replace(find(name), port=server.port) for name in ("stim", "qulacs"))
        assert opening.running(stim) == opening.Place("stim", f"http://127.0.0.1:{server.port}")
        assert opening.running(qulacs) is None
    finally:
        server.stop()
    assert opening.running(stim) is None


def test_a_program_that_says_nothing_on_the_port_of_a_simulator_keeps_no_door_shut(monkeypatch):
    monkeypatch.setattr(opening, "_ANSWERS_WITHIN_S", 0.2)
    with bind("127.0.0.1", 0) as silent:
        row = dataclasses.replace(find("stim"), port=silent.getsockname()[1])
        places: list[opening.Place | None] = []
        threading.Thread(target=lambda: places.append(opening.running(row)), daemon=True).start()
        wait_until(lambda: places, "the silent program to be given up", deadline_s=DEADLINE_S / 2)
        assert places == [None]


def test_a_simulator_whose_port_is_taken_keeps_its_jobs_where_the_next_one_finds_them(tmp_path: Path):
    name = two_that_do_not_run()[0]
    with bind("127.0.0.1", find(name).port):
        port = port_to_keep()
        ids: list[str] = []
        for folder in ("first", "second"):
            with opened(tmp_path / folder, name, "--port", str(port), XDG_STATE_HOME=str(tmp_path)) as door:
                door.wait_until_ready(name)
                with door.client(name) as client:
                    assert [job.id for job in client.jobs()] == ids[:1]
                    ids.append(client.run_async(BELL, shots=10).id)
                    client.job(ids[0]).result()


def test_one_file_of_jobs_for_several_simulators_is_refused(tmp_path: Path):
    names = two_that_do_not_run()
    door = Opened(tmp_path, *names, "--port", "0", GATEWAY_JOBS=str(tmp_path / "jobs.sqlite"))
    assert door.process.wait(60) == 2
    assert "several simulators cannot share the file of jobs" in door.log()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["qulax"], "did you mean 'qulacs'?"),
        (["qulacs", "qulacs"], "qulacs is named twice"),
        (["--simulator", "lab"], "is written NAME=URL"),
        (["--simulator", "lab=ftp://lab:1"], "http or https"),
        (["--simulator", "a b=http://lab:1"], "is written NAME=URL"),
        (["--simulator", "lab=http://a:1,lab=http://b:1"], "lab is given twice"),
        (["--simulator", "stim=http://a:1", "stim"], "stim is named twice"),
        (["--host", "::", "stim"], "other machines can reach ::"),
        (["--tls-cert", "a.pem", "stim"], "belong together"),
        (["--no-start"], "there is no simulator"),
    ],
)
def test_what_cannot_be_opened_is_said_in_one_sentence_before_anything_starts(
    tmp_path: Path, words: list[str], sentence: str
):
    door = Opened(tmp_path, "--port", "0", *words)
    assert door.process.wait(60) in {1, 2}
    assert sentence in door.log()
    assert "Traceback" not in door.log()


def test_a_simulator_that_is_down_is_a_row_that_says_what_to_do(tmp_path: Path):
    port = port_to_keep()
    words = ["--no-start", "--simulator", f"lab=http://127.0.0.1:{port}", "--port", "0"]
    with opened(tmp_path, *words, GATEWAY_START_HINT="start {name}") as door:
        wait_until(lambda: door.simulators()["lab"]["state"] == "down", door.simulators)
        reason = door.simulators()["lab"]["reason"]
        assert "connection refused" in reason
        assert "'start lab' starts it" in reason
        answer = requests.post(f"{door.url}/v1/simulators/lab/v1/run", json={"circuits": "x"}, timeout=30)
        assert (answer.status_code, answer.json()["detail"]) == (502, reason)
        missing = requests.get(f"{door.url}/v1/simulators/lap/healthz", timeout=30)
        assert (missing.status_code, missing.json()["code"]) == (404, "simulator-not-found")
        assert "did you mean 'lab'" in missing.json()["detail"]
