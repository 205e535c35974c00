from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator

import pytest
from support.waiting import wait_until

from gateway.server import lifeline as lifeline_module
from gateway.server.lifeline import Lifeline


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    yield reading, writing
    os.close(reading)


@pytest.fixture
def program() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "600"]) as program:
        yield program
        program.kill()


def waiting(lifeline: Lifeline) -> threading.Thread:
    thread = threading.Thread(target=lifeline.wait, daemon=True)
    thread.start()
    thread.join(0.1)
    assert thread.is_alive(), "nothing has ended yet"
    return thread


@pytest.mark.parametrize("pid", [None, os.getpid()], ids=["no program", "this program"])
def test_a_pipe_that_is_closed_is_the_end_while_the_program_lives(pipe: tuple[int, int], pid: int | None):
    lifeline = Lifeline(pipe[0], pid)
    thread = waiting(lifeline)
    os.close(pipe[1])
    thread.join(60)
    assert not thread.is_alive()
    assert not lifeline.has_ended(0.2)


@pytest.mark.parametrize("has_descriptors", [True, False])
@pytest.mark.parametrize("has_starts", [True, False])
def test_the_end_of_the_program_is_the_end_although_the_pipe_is_open(
    pipe: tuple[int, int], program, monkeypatch: pytest.MonkeyPatch, has_descriptors: bool, has_starts: bool
):
    if not has_descriptors:
        monkeypatch.delattr(os, "pidfd_open")
    if not has_starts:
        monkeypatch.setattr(lifeline_module, "_start_of", lambda _: None)
    lifeline = Lifeline(pipe[0], program.pid)
    thread = waiting(lifeline)
    program.kill()
    program.wait()
    thread.join(60)
    assert not thread.is_alive()
    assert lifeline.has_ended(0)
    os.close(pipe[1])


def test_a_program_that_had_ended_before_is_the_end(pipe: tuple[int, int], program):
    program.kill()
    program.wait()
    lifeline = Lifeline(pipe[0], program.pid)
    lifeline.wait()
    assert lifeline.has_ended(0)
    os.close(pipe[1])


def test_a_program_of_which_only_its_entry_in_the_table_of_processes_is_left_has_ended(pipe: tuple[int, int], program):
    lifeline = Lifeline(pipe[0], program.pid)
    program.kill()  # and nobody asks for its exit code
    wait_until(lambda: lifeline.has_ended(0), "the end of the program")
    lifeline.wait()
    os.close(pipe[1])
