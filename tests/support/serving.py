"""``gateway serve`` and ``gateway open`` as people start them, and requests to them byte by byte."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from support.fake import TARGET
from support.raw import Server
from support.waiting import wait_until

from gateway.backends.client import BackendClient

_ADDRESS = re.compile(r"(?:serving \S+|the door is open) at (https?)://(\S+):(\d+)[ ,]")
_CRLF = b"\r\n"


class Served(Server):
    """A running ``gateway serve``; as a :class:`~support.raw.Server`, with its log."""

    def __init__(self, process: subprocess.Popen[bytes], host: str, port: int, log: Path) -> None:
        self.process = self  # type: ignore[assignment]  # has a host too, and a pid
        self.host, self.port, self.pid = host, port, process.pid
        self._log = log

    def log(self) -> str:
        """Return all that was written to standard output and standard error."""
        return self._log.read_text(encoding="utf-8", errors="replace")


def command(*options: str, adapter: str = TARGET) -> list[str]:
    """Return the command that serves an adapter, the fake by default."""
    return [sys.executable, "-m", "gateway.cli", "serve", "--adapter", adapter, "--workers", "2", *options]


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return an environment in which the tests' modules are found, and none of our settings are set."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
    return {**kept, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **(more or {})}


@contextlib.contextmanager
def serving(*options: str, env: Mapping[str, str] | None = None, port: int = 0) -> Iterator[Served]:
    """Run ``gateway serve`` with options until the end of the block, which begins once the server is ready."""
    with started(command("--port", str(port), *options), env) as served:
        yield served


@contextlib.contextmanager
def started(words: Sequence[str], env: Mapping[str, str] | None = None) -> Iterator[Served]:
    """Run a command that serves until the end of the block, which begins once the server is ready."""
    with TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with log.open("wb") as written:
            process = subprocess.Popen(words, stdout=written, stderr=written, env=environment(env))
        try:
            scheme, host, bound_port = _address(process, log)
            served = Served(process, "127.0.0.1" if host == "0.0.0.0" else host, bound_port, log)  # noqa: S104 - compared, not bound
            _wait_until_ready(served, scheme)
            yield served
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _address(process: subprocess.Popen[bytes], log: Path) -> tuple[str, str, int]:
    def text() -> str:
        return log.read_text(encoding="utf-8", errors="replace")

    def address() -> re.Match[str] | None:
        assert process.poll() is None, f"gateway serve ended:\n{text()}"
        return _ADDRESS.search(text())

    match = wait_until(address, lambda: f"gateway serve to say where it serves:\n{text()}")
    return match[1], match[2], int(match[3])


def _wait_until_ready(served: Served, scheme: str) -> None:
    def ready() -> bool:
        with contextlib.suppress(OSError):
            return b" 200 " in exchange(served, request("GET", "/readyz"), tls=scheme == "https")[:15]
        return False

    wait_until(ready, lambda: f"gateway serve to be ready:\n{served.log()}")


def request(method: str, path: str, *headers: str, body: bytes = b"", host: str | None = "localhost") -> bytes:
    """Return a request byte by byte, with ``Connection: close``."""
    lines = [f"{method} {path} HTTP/1.1", *([f"Host: {host}"] if host is not None else []), "Connection: close"]
    return _CRLF.join(line.encode("latin-1") for line in [*lines, *headers]) + 2 * _CRLF + body


def exchange(server: Server, data: bytes, *, within_s: float = 30.0, tls: bool = False) -> bytes:
    """Send bytes and return everything that comes back until the server closes the connection."""
    with contextlib.ExitStack() as stack:
        plain: socket.socket = stack.enter_context(
            socket.create_connection((server.process.host, server.port), within_s)
        )
        connection: socket.socket = plain
        if tls:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            connection = stack.enter_context(context.wrap_socket(plain))
        with contextlib.suppress(OSError):  # it may have refused and closed already
            connection.sendall(server.addressed(data))
            if not tls:
                connection.shutdown(socket.SHUT_WR)
        return _received(connection)


def _received(connection: socket.socket) -> bytes:
    parts = []
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(2**16):
            parts.append(part)
    return b"".join(parts)


def statuses(answer: bytes) -> list[int]:
    """Return the statuses of all responses in some bytes."""
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) [^\r\n]*\r\n[A-Za-z-]+: ", answer)]


def client(served: Server, **options: object) -> BackendClient:
    """Return a client of a server."""
    return BackendClient(served.process.host, served.port, **options)  # type: ignore[arg-type]
