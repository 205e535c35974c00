"""Gives tests in environments of their own the real servers, which run in the main environment.

An environment here holds a foreign package and ours, and no simulator. So the servers are started
with the Python of ``.venv``, as a user would start them, and reached over HTTP.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from support.waiting import wait_until

from gateway.backends.client import BackendClient
from gateway.simulators import SIMULATORS

ROOT = Path(__file__).parents[2]
MAIN_PYTHON = ROOT / ".venv/bin/python"


class Running(NamedTuple):
    """A server's process, its ports and the file it logs to."""

    process: subprocess.Popen[bytes]
    port: int
    thrift_port: int
    log: Any


class Servers:
    """The servers of the simulators, each started when it is first asked for."""

    def __init__(self) -> None:
        self._running: dict[str, Running] = {}

    def port(self, simulator: str) -> int:
        """Return the port of 127.0.0.1 on which a simulator answers."""
        if simulator not in self._running:
            self._running[simulator] = _start(simulator)
        return self._running[simulator].port

    def thrift_port(self, simulator: str) -> int:
        """Return the port of 127.0.0.1 on which it answers by Thrift."""
        self.port(simulator)
        return self._running[simulator].thrift_port

    def client(self, simulator: str, **options: Any) -> BackendClient:
        """Return a client of its own; the options are those of BackendClient."""
        return BackendClient("127.0.0.1", self.port(simulator), **options)

    def log(self, simulator: str) -> str:
        """Return what a server has written so far."""
        return Path(self._running[simulator].log.name).read_text(encoding="utf-8", errors="replace")

    def stop(self) -> None:
        """End all that run."""
        for running in self._running.values():
            running.process.terminate()
        for running in self._running.values():
            running.process.wait(timeout=30)
            running.log.close()
        self._running.clear()


def _start(simulator: str) -> Running:
    """Start a server; it listens before it says where, so the first request only has to wait."""
    command = [MAIN_PYTHON, "-m", "gateway.cli", "serve", simulator, "--port", "0", "--thrift-port", "0"]
    log = tempfile.NamedTemporaryFile(prefix=f"gateway-{simulator}-", suffix=".log")  # noqa: SIM115 - lives as long as the server
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def text() -> str:
        return Path(log.name).read_text("utf-8")

    def ports() -> list[str]:
        assert process.poll() is None, f"the server of {simulator} ended:\n{text()}"
        numbers = re.findall(r"^gateway: .* at (?:http://)?127\.0\.0\.1:(\d+)", text(), re.MULTILINE)
        return numbers if len(numbers) == 2 else []

    try:
        return Running(process, *map(int, wait_until(ports, lambda: f"both ports of {simulator}:\n{text()}")), log)
    except BaseException:
        process.kill()
        process.wait()
        raise


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """The real servers: ``servers.port("qulacs")``, ``servers.client("qulacs")``."""
    running = Servers()
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture(params=[row.name for row in SIMULATORS.values() if row.capabilities.gates == "universal"])
def simulator(request: pytest.FixtureRequest) -> str:
    """Each simulator that takes all gates in turn."""
    return request.param


@pytest.fixture
def port(servers: Servers, simulator: str) -> int:
    """The port of each simulator in turn."""
    return servers.port(simulator)


@pytest.fixture
def client(servers: Servers, simulator: str) -> Iterator[BackendClient]:
    """A client of each simulator in turn."""
    with servers.client(simulator) as backend:
        yield backend


@pytest.fixture
def qulacs(servers: Servers) -> Iterator[BackendClient]:
    """A client of one simulator, for what concerns no simulator in particular."""
    with servers.client("qulacs") as backend:
        yield backend


@pytest.fixture
def real_backend(qulacs: BackendClient) -> BackendClient:
    """What the suite over all frameworks runs its circuits on."""
    return qulacs
