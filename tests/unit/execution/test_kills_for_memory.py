"""What a worker's end is taken for, from files that the test writes as the kernel does."""

from __future__ import annotations

import time

import pytest

from gateway.execution import memory
from gateway.execution.memory import KillsForMemory


@pytest.fixture
def events(tmp_path):
    """Return a function that sets the counter of kills."""
    path = tmp_path / "memory.events"

    def write(kills: int):
        path.write_text(f"low 0\noom 9\noom_kill {kills}\n")
        return path

    return write


def test_two_workers_killed_at_the_same_moment_are_both_out_of_memory(events):
    kills = KillsForMemory([events(3)], None)
    first, second = kills.note(), kills.note()
    events(5)
    assert kills.accounts_for(10, first) is None
    assert kills.accounts_for(11, second) is None
    assert kills.accounts_for(12, kills.note()) is False  # a third one was killed by somebody else


def test_a_kill_before_the_run_began_is_not_taken_for_the_runs(events, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(memory, "_READ_AGAIN_S", -1.0)
    kills = KillsForMemory([events(0)], None)
    events(1)  # another program's process
    assert kills.accounts_for(10, kills.note()) is False


def test_the_kernels_log_says_whose_kill_it_was(events, tmp_path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(memory, "_numbers_are_the_kernels", lambda: True)
    log = tmp_path / "kmsg"
    log.write_text("")
    kills = KillsForMemory([events(0)], log)
    before = kills.note()
    events(1)
    now = int((time.monotonic() + 1) * 1e6)
    log.write_text(f"3,1,{now},-;Out of memory: Killed process 77 (python) total-vm:1kB\n")
    assert kills.accounts_for(77, before) is True
    assert kills.accounts_for(10, before) is False


def test_an_old_line_of_the_log_about_the_same_number_counts_for_nothing(events, tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "_numbers_are_the_kernels", lambda: True)
    log = tmp_path / "kmsg"
    log.write_text("3,1,5,-;Out of memory: Killed process 10 (python) total-vm:1kB\n")
    kills = KillsForMemory([events(0)], log)
    assert kills.accounts_for(10, kills.note()) is False


def test_without_any_counter_nothing_is_called_out_of_memory(tmp_path):
    kills = KillsForMemory([tmp_path / "absent"], None)
    assert kills.accounts_for(10, kills.note()) is False
