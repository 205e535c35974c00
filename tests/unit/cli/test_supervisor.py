"""Servers are kept running whatever the system refuses for a while, and have their time to end."""

from __future__ import annotations

import io
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.waiting import wait_until

from gateway.cli import supervisor
from gateway.cli.supervisor import Child, Supervisor

WAITS = "import sys, time; sys.stdin.read(); time.sleep(600)"


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def child(program: str, listener: socket.socket) -> Child:
    return Child("toy", [sys.executable, "-c", program], {}, listener)


def descriptors() -> int:
    return len(list(Path("/dev/fd").iterdir()))


def ended(toy: Child) -> None:
    """Kill the process of a server."""
    assert toy._process is not None
    toy._process.kill()
    toy._process.wait()


def test_a_server_that_cannot_be_started_again_is_tried_again(listener, monkeypatch, capsys):
    toy = child(WAITS, listener)
    toy._pause_s = 0.01
    toy.start()
    before = descriptors()
    ended(toy)
    real, failures = subprocess.Popen, [OSError(11, "Resource temporarily unavailable")] * 2

    def start(*words: Any, **options: Any) -> subprocess.Popen[bytes]:
        if failures:
            raise failures.pop()
        return real(*words, **options)

    monkeypatch.setattr(subprocess, "Popen", start)

    def is_back() -> bool:
        toy.look()
        return not failures and toy.status is None

    wait_until(is_back, "the server to be started again")
    said = capsys.readouterr().err
    assert "toy has ended with status -9, and is started again in" in said
    assert "toy cannot be started ([Errno 11] Resource temporarily unavailable), which is tried again in" in said
    assert descriptors() <= before
    toy.stop()
    toy.wait(time.monotonic() + 5)


def test_nobody_needs_to_read_what_is_said(listener, monkeypatch):
    class Gone(io.StringIO):
        def write(self, _text: str) -> int:
            raise BrokenPipeError(32, "Broken pipe")

    toy = child(WAITS, listener)
    toy.start()
    ended(toy)
    monkeypatch.setattr(sys, "stderr", Gone())
    toy.look()
    toy.stop()
    toy.wait(time.monotonic())


def test_servers_have_all_their_time_to_drain(listener, monkeypatch, tmp_path: Path):
    monkeypatch.setattr(supervisor, "ENDS_WITHIN_S", 1.0)
    ready = tmp_path / "ready"
    program = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: (time.sleep(3), sys.exit(7)))\n"
        f"open({str(ready)!r}, 'w').close()\n"
        "time.sleep(600)\n"
    )
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    toy = child(program, listener)

    def end() -> None:
        wait_until(ready.exists, "the server to run")
        os.kill(os.getpid(), signal.SIGTERM)

    try:
        threading.Thread(target=end).start()
        assert Supervisor([toy], drain_s=30).run() == 0
    finally:
        signal.signal(signal.SIGTERM, before[0])
        signal.signal(signal.SIGINT, before[1])
    assert toy.status == 7
