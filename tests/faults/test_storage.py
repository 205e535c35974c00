"""Jobs survive a full disk, and a system clock that somebody sets."""

from __future__ import annotations

import contextlib
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

import pytest
from support.disks import can_mount
from support.fake import TARGET, Does, FakeAdapter, fake
from support.raw import Watched, descendants, run_body
from support.supervised import environment
from support.waiting import wait_until

from gateway.backends.client import BackendClient
from gateway.backends.job import Job
from gateway.errors import JobNotFound, StorageFull, TransportError
from gateway.execution.pool import InlineExecutor
from gateway.execution.runner import Runner
from gateway.jobs import manager
from gateway.jobs.clock import SteadyClock
from gateway.jobs.manager import Caller, Jobs
from gateway.jobs.store import JobStore
from gateway.listener import bind
from gateway.protocol.messages import RunRequest, ServerLimits, decode
from gateway.results import JobState

DISK_BYTES = 2**20
A_MONTH_S = 30 * 86_400.0


class SmallDisk(Watched):
    """A server whose jobs are on a file system of 1 MB that it alone sees."""

    def __init__(self, folder: Path, log: IO[bytes]) -> None:
        self._log = Path(log.name)
        with bind("127.0.0.1", 0) as free:
            self.port = free.getsockname()[1]
        serve = [
            sys.executable,
            "-m",
            "gateway.cli",
            "serve",
            "--adapter",
            TARGET,
            "--workers=2",
            f"--port={self.port}",
        ]
        serve += ["--jobs", f"sqlite:///{folder}/jobs.sqlite"]
        mount = f'mount -t tmpfs -o size={DISK_BYTES} none {folder} && exec "$@"'
        self._process = subprocess.Popen(
            ["unshare", "-rm", "sh", "-c", mount, "sh", *serve],
            env=environment(),
            stderr=log,
        )
        self._filler = Path(f"/proc/{self._process.pid}/root{folder}/filler")

    def fill(self) -> None:
        with contextlib.suppress(OSError), self._filler.open("ab", buffering=0) as file:
            while True:
                file.write(b"\0" * 512)

    def make_room(self) -> None:
        self._filler.unlink()

    def states(self, jobs: list[Job]) -> list[str]:
        """Return the state of each job on the disk, read from a copy: SQLite does not find files below ``/proc``."""
        with TemporaryDirectory() as folder:
            for path in self._filler.parent.glob("jobs.sqlite*"):
                shutil.copy(path, folder)
            with contextlib.closing(sqlite3.connect(Path(folder) / "jobs.sqlite")) as connection:
                found = dict(connection.execute("SELECT id, state FROM jobs"))
        return [found[job.id] for job in jobs]

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def processes(self) -> set[int]:
        """Return the ids of the server's processes."""
        return {self._process.pid, *descendants(self._process.pid)}

    def log(self) -> str:
        """Return what the server has written."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def close(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(30)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    if not can_mount():
        pytest.skip("this machine lets nobody mount a file system of their own (unshare -rm)")
    folder = tmp_path / "disk"
    folder.mkdir()
    with (tmp_path / "log").open("wb") as log:
        disk = SmallDisk(folder, log)
        yield disk
        disk.close()


def test_a_full_disk_refuses_new_jobs_and_loses_none(small_disk: SmallDisk):
    with BackendClient(port=small_disk.port) as client:
        wait_until(lambda: _answers(client), "the server to answer")
        accepted = [client.run_async(fake(Does.WAIT), shots=1)]
        small_disk.wait_until_doing(Does.WAIT)
        small_disk.fill()
        with pytest.raises(StorageFull, match="full") as caught:
            _submit_until_refused(client, accepted)
        assert caught.value.status == 507
        assert client.run(fake(amount=3), shots=1) == {"00000011": 1}, "runs need no disk"
        assert client.status().online
        small_disk.let_go()
        wait_until(lambda: "trying again" in small_disk.log(), "the answer of a run to find no room")
        small_disk.make_room()
        assert [job.result(60) for job in accepted] == [{"0" * 8: k + 1} for k in range(len(accepted))]
        assert client.run_async(fake(amount=9), shots=2).result(30) == {"00001001": 2}
        assert len(client.jobs(limit=1000)) == len(accepted) + 1, "what was refused is not there"
    assert small_disk.running


def test_jobs_are_cancelled_at_once_while_the_disk_is_full_and_stay_cancelled(small_disk: SmallDisk):
    with BackendClient(port=small_disk.port) as client:
        wait_until(lambda: _answers(client), "the server to answer")
        running = [client.run_async(fake(Does.WAIT), shots=1) for _ in range(2)]
        small_disk.wait_until_doing(Does.WAIT, 2)
        waiting = [client.run_async([fake()] * 3, shots=1) for _ in range(3)]
        small_disk.fill()
        with pytest.raises(StorageFull):
            _submit_until_refused(client, [])
        for job in (*running, *waiting):
            assert job.cancel()
            assert job.status() is JobState.CANCELLED
        assert client.run(fake(amount=3), shots=1) == {"00000011": 1}, "the workers are free again"
        small_disk.make_room()
        assert client.run_async(fake(amount=9), shots=2).result(30) == {"00001001": 2}
        wait_until(lambda: set(small_disk.states(running + waiting)) == {"cancelled"}, "the disk to follow")
    assert small_disk.running


def _submit_until_refused(client: BackendClient, accepted: list[Job]) -> None:
    while len(accepted) < 200:
        accepted.append(client.run_async(padded(20_000), shots=len(accepted) + 1))


def padded(size: int) -> str:
    """Return a circuit that takes space."""
    return f"OPENQASM 2.0;\n// {'x' * size}\nqreg q[1]; creg c[8]; measure q[0] -> c[0];"


def _answers(client: BackendClient) -> bool:
    try:
        return client.status().online
    except TransportError:
        return False


@pytest.mark.parametrize("jump_s", [A_MONTH_S, -A_MONTH_S])
def test_the_clock_of_the_jobs_does_not_jump_with_the_systems(monkeypatch: pytest.MonkeyPatch, jump_s: float):
    clock, real = SteadyClock(), time.time
    before = clock.now()
    assert abs(before - real()) < 60
    monkeypatch.setattr(time, "time", lambda: real() + jump_s)
    assert 0 <= clock.now() - before < 60
    assert abs(SteadyClock().now() - before - jump_s) < 60, "one made now begins at the new time"


@contextlib.contextmanager
def kept_for(seconds: float) -> Iterator[Jobs]:
    """Jobs that are kept for so long after their end."""
    limits = ServerLimits(keep_jobs_s=seconds)
    jobs = Jobs(InlineExecutor(Runner(FakeAdapter(), limits)), JobStore(), limits)
    yield jobs
    jobs.close()


@pytest.fixture(autouse=True)
def looked_at_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manager, "_EXPIRE_EVERY_S", 0.02)


def _done(jobs: Jobs) -> str:
    body = run_body()
    job = jobs.submit(decode(RunRequest, body), body, Caller())
    wait_until(lambda: jobs.info(job.id, Caller()).state is JobState.DONE, "the job to be done")
    return job.id


@pytest.mark.parametrize("jump_s", [A_MONTH_S, -A_MONTH_S])
def test_no_job_is_removed_because_the_clock_was_set(monkeypatch: pytest.MonkeyPatch, jump_s: float):
    real = time.time
    with kept_for(3600) as jobs:
        job_id = _done(jobs)
        monkeypatch.setattr(time, "time", lambda: real() + jump_s)
        rounds = _rounds_of_removal(jobs, monkeypatch)
        wait_until(lambda: len(rounds) >= 3, "three rounds of removal after the clock was set")
        assert rounds[:3] == [0, 0, 0]
        assert _stored(jobs, job_id), "it did not grow a month older"


def _rounds_of_removal(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that grows by what each round from now on removes."""
    rounds: list[int] = []
    clear_up = jobs._retention.clear_up

    def noted() -> int:
        rounds.append(clear_up())
        return rounds[-1]

    monkeypatch.setattr(jobs._retention, "clear_up", noted)
    return rounds


@pytest.mark.parametrize("jump_s", [A_MONTH_S, -A_MONTH_S])
def test_no_job_is_kept_because_the_clock_was_set(monkeypatch: pytest.MonkeyPatch, jump_s: float):
    real = time.time
    with kept_for(1) as jobs:
        first = _done(jobs)
        monkeypatch.setattr(time, "time", lambda: real() + jump_s)
        second = _done(jobs)
        wait_until(lambda: not _stored(jobs, first), "the end of a job that grew older by the seconds that passed")
        wait_until(lambda: not _stored(jobs, second), "and of one that came later")


def _stored(jobs: Jobs, job_id: str) -> bool:
    return jobs._store.find(job_id, "") is not None


def test_a_job_that_was_removed_is_not_found_any_more():
    with kept_for(1) as jobs:
        job_id = _done(jobs)
        wait_until(lambda: not _stored(jobs, job_id), "the removal of the job")
        wait_until(lambda: _is_unknown(jobs, job_id), "the job to be forgotten too")


def _is_unknown(jobs: Jobs, job_id: str) -> bool:
    try:
        jobs.info(job_id, Caller())
    except JobNotFound:
        return True
    return False
