"""A server under test, spoken to without our own client."""

from __future__ import annotations

import http.client
import json
import time
from pathlib import Path
from typing import Any, NamedTuple

from support.fake import fake

from gateway.backends.client import BackendClient
from gateway.backends.process import ServerProcess
from gateway.circuit import Circuit
from gateway.protocol.messages import RunRequest, encode

JSON = {"Content-Type": "application/json"}


class Reply(NamedTuple):
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes
    seconds: float

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def run_body(circuits: Circuit | str | list[Circuit | str] | None = None, **fields: Any) -> bytes:
    """Return a RunRequest as JSON; by default the fake echoes 0."""
    return encode(RunRequest(circuits=fake() if circuits is None else circuits, **fields))


class Server:
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
        began = time.monotonic()
        try:
            connection.request(method, path, body, headers if headers is not None else JSON)
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        return Reply(response.status, response.headers, content, time.monotonic() - began)

    def run(self, body: bytes) -> Reply:
        return self.request("POST", "/v1/run", body)

    def processes(self) -> set[int]:
        """Return the ids of all processes of the server: gunicorn's, the fork server, the workers."""
        pid = self.process.pid
        return set() if pid is None else {pid, *descendants(pid)}


def descendants(pid: int) -> set[int]:
    """Return the ids of all children of a process, and theirs."""
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
    """Say whether a process runs; one that has ended and was not yet reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except OSError:
        return False


def wait_until(condition: Any, within_s: float = 5.0) -> bool:
    """Return whether a condition came true in time."""
    give_up = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > give_up:
            return False
        time.sleep(0.01)
    return True
