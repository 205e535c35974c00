"""What a job database was told survives a power failure."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from support.power import Disk
from support.supervised import environment

from gateway.jobs.store import JobStore
from gateway.results import JobState

JOBS = 30
CHILD = """
import os, signal, sys
from dataclasses import replace
from gateway.jobs.store import JobRecord, JobStore, StoredAnswer
from gateway.results import JobState
url, durable, jobs = sys.argv[1], sys.argv[2] == "durable", int(sys.argv[3])
store = JobStore(url, "power", durable=durable)
record = JobRecord("", "", "", JobState.QUEUED, 1, is_list=False, timeout_s=1, created=1)
known = len(store.page("", None, None, 10_000))
for k in range(known, known + jobs):
    number = store.add(replace(record, id=f"job {k}"), [b"request " * 100])
    if k % 3:
        store.begin(number, 0, 1.0)
        store.finish(number, 0, StoredAnswer(200, b"answer"), JobState.DONE, 2.0)
    print(f"job {k}", "done" if k % 3 else "queued", flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def accepted(disk: Disk, durability: str) -> dict[str, str]:
    """Write jobs in a process that is killed; return the state of each that it said was written."""
    url = f"sqlite:///{disk.folder}/jobs"
    done = subprocess.run(
        [sys.executable, "-c", CHILD, url, durability, str(JOBS)],
        env=environment() | disk.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == -9, done.stderr
    told = dict(line.rsplit(" ", 1) for line in done.stdout.splitlines())
    assert len(told) == JOBS
    return told


def found(disk: Disk) -> dict[str, str]:
    """Return the state of each job that a new server finds."""
    store = JobStore(f"sqlite:///{disk.folder}/jobs", "power")
    states = {record.id: str(record.state) for record in store.page("", None, None, 10_000)}
    for record in store.page("", JobState.DONE, None, 10_000):
        assert [answer and answer.body for answer in store.answers(record.number)] == [b"answer"]
    store.close()
    return states


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    return Disk(tmp_path)


@pytest.mark.parametrize("torn", [False, True], ids=["nothing unsynced is kept", "some pages are kept"])
def test_jobs_and_answers_survive_power_failures(disk: Disk, torn: bool):
    told: dict[str, str] = {}
    for seed in range(5):
        told |= accepted(disk, "durable")
        disk.fail(Random(seed) if torn else None)
    assert found(disk) == told


def test_without_the_setting_a_power_failure_costs_the_jobs_of_the_last_moments(disk: Disk):
    told = accepted(disk, "not durable")
    disk.fail()
    assert found(disk).items() < told.items()


def test_without_the_setting_the_end_of_a_process_costs_nothing(disk: Disk):
    told = accepted(disk, "not durable")
    assert found(disk) == told
