"""A server that a program has started for itself ends with the program, and a fork of the program uses it rightly."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys

import pytest
from support.fake import TARGET, fake
from support.raw import descendants, wait_for_end
from support.supervised import environment

from gateway.backends.client import BackendClient
from gateway.backends.local import LocalSimulator

PROGRAM = f"""
import ctypes, os, time
from gateway import Circuit, LocalSimulator
simulator = LocalSimulator(adapter={TARGET!r}, workers=1)
simulator.run(Circuit(1).measure_all(), shots=1)
child = {{child}}
if child == 0:
    time.sleep(600)
print(simulator._process.pid, child, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("child", ["os.fork()", "ctypes.CDLL(None).fork()"])
def test_a_server_ends_with_its_program_although_a_forked_child_lives(child: str):
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(child=child)], env=environment(), stdout=subprocess.PIPE, text=True
    )
    assert program.stdout is not None
    with program, program.stdout:
        server, forked = map(int, program.stdout.readline().split())
        try:
            processes = {server, *descendants(server)}
            assert len(processes) >= 4
            program.kill()
            wait_for_end(processes)
            os.kill(forked, 0)
        finally:
            os.kill(forked, signal.SIGKILL)
            program.kill()


def _run_all(simulator: LocalSimulator | BackendClient, first: int, answers) -> None:
    wrong = [
        amount
        for amount in range(first, first + 40)
        if simulator.run(fake(amount=amount), shots=amount) != {format(amount, "08b"): amount}
    ]
    answers.put(wrong)


@pytest.mark.parametrize("kind", ["simulator", "client"])
def test_forks_of_a_program_get_no_answers_of_each_other(kind: str):
    forking = multiprocessing.get_context("fork")
    answers = forking.Queue()
    with LocalSimulator(adapter=TARGET, workers=1) as local:
        simulator = local if kind == "simulator" else local.client()
        assert simulator.run(fake(amount=1), shots=1) == {"00000001": 1}, "its connection is open"
        server = local._process.pid
        children = [forking.Process(target=_run_all, args=(simulator, 1 + 40 * k, answers)) for k in range(3)]
        for child in children:
            child.start()
        _run_all(simulator, 150, answers)
        assert [answers.get(timeout=60) for _ in range(4)] == [[], [], [], []]
        for child in children:
            child.join(60)
        assert local._process.pid == server, "it is the same, and runs"
        assert simulator.run(fake(amount=2), shots=1) == {"00000010": 1}
