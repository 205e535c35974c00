"""Talks to a server under test without our own client, and watches its processes."""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import socket
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, NamedTuple

from support.fake import Does, fake
from support.waiting import wait_until

from gateway.backends.client import BackendClient
from gateway.backends.process import ServerProcess
from gateway.circuit import Circuit
from gateway.protocol.messages import RunRequest, encode

JSON = {"Content-Type": "application/json"}


class Reply(NamedTuple):
    """The response of a server."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def run_body(circuits: Circuit | str | list[Circuit | str] | None = None, **fields: Any) -> bytes:
    """Return a RunRequest as JSON; by default the fake echoes 0."""
    return encode(RunRequest(circuits=fake() if circuits is None else circuits, **fields))


class Watched(ABC):
    """Something whose processes a test watches from outside: each has the name of what the fake does in it."""

    @abstractmethod
    def processes(self) -> set[int]:
        """Return the ids of all its processes."""

    def doing(self, does: Does) -> set[int]:
        """Return the ids of the processes in which the fake does this now."""
        return {pid for pid in self.processes() if name_of(pid) == does.name}

    def wait_until_doing(self, does: Does, runs: int = 1) -> set[int]:
        """Wait until the fake does this in ``runs`` processes, and return their ids.

        The state of a job says earlier that it runs.
        """

        def enough() -> set[int]:
            pids = self.doing(does)
            return pids if len(pids) == runs else set()

        return wait_until(enough, lambda: f"{runs} runs of {does.name}, there are {len(self.doing(does))}")

    def let_go(self) -> None:
        """Let all runs of ``Does.WAIT`` end."""
        for pid in self.doing(Does.WAIT):
            os.kill(pid, signal.SIGUSR1)


class Server(Watched):
    """A running server process."""

    def __init__(self, process: ServerProcess) -> None:
        self.process = process
        self.port = process.port

    def client(self, **options: Any) -> BackendClient:
        return BackendClient(self.process.host, self.port, **options)

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Reply:
        connection = http.client.HTTPConnection(self.process.host, self.port, timeout=30)
        try:
            connection.request(method, path, body, headers if headers is not None else JSON)
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        return Reply(response.status, response.headers, content)

    def addressed(self, data: bytes) -> bytes:
        """Return bytes for a simulator's own port as they have to be sent to this server."""
        return data

    def run(self, body: bytes) -> Reply:
        return self.request("POST", "/v1/run", body)

    def processes(self) -> set[int]:
        """Return the ids of all processes of the server: gunicorn's, the fork server, the workers."""
        pid = self.process.pid
        return set() if pid is None else {pid, *descendants(pid)}


def port_to_keep() -> int:
    """Return a free port that a server can have again after its end.

    The system gives ports of its ephemeral range to whoever connects or asks for any port, so that one of those may be
    gone before the next server wants it.
    """
    first_ephemeral = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split()[0])
    candidates = list(range(first_ephemeral // 2, first_ephemeral))
    random.shuffle(candidates)
    for port in candidates:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no port below the ephemeral range is free")


def descendants(pid: int) -> set[int]:
    """Return the ids of all children of a process, and of their children."""
    try:
        children = {
            int(child)
            for listing in Path(f"/proc/{pid}/task").glob("*/children")
            for child in listing.read_text().split()
        }
    except OSError:
        return set()
    return children.union(*map(descendants, children))


def alive(pid: int) -> bool:
    """Say whether a process runs; one that has ended and was not yet reaped does not.

    The first thread of a killed process may end before the others, which hold its files and ports until they end.
    """
    tasks = Path(f"/proc/{pid}/task")
    try:
        threads = list(tasks.iterdir())
    except OSError:
        return False
    return any(_state(thread / "stat") not in {"Z", "X", None} for thread in threads)


def _state(stat: Path) -> str | None:
    """Return the state of a thread, or ``None`` if it has ended meanwhile."""
    try:
        return stat.read_text().rpartition(")")[2].split()[0]
    except OSError:
        return None


def name_of(pid: int) -> str:
    """Return the name of a process, empty if there is none."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def wait_for_end(pids: set[int]) -> None:
    """Wait until none of these processes runs any more."""
    wait_until(lambda: not any(map(alive, pids)), lambda: f"the end of {[pid for pid in pids if alive(pid)]}")
