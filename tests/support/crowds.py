"""A server with large answers, and clients by the hundred that send nothing, read slowly or write slowly."""

from __future__ import annotations

import contextlib
import functools
import resource
import selectors
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Self

from flask import Blueprint, Response
from support.fake import TARGET
from support.raw import Server, descendants
from support.serving import environment
from support.waiting import wait_until

from gateway.execution.content import PIECE_BYTES, FileContent
from gateway.free_memory import resident_bytes
from gateway.server.http.responses import respond
from gateway.server.service import Service

DRIP_EVERY_S = 0.2


class BreakingContent:
    """A content that cannot be read to its end.

    Args:
        size: the bytes that it claims to have.
        pieces: how many pieces can be read of it.
    """

    def __init__(self, size: int, pieces: int) -> None:
        self.size = size
        self._pieces = pieces

    def pieces(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Yield some pieces, then fail."""
        yield from [bytes(PIECE_BYTES)] * self._pieces
        raise OSError("the disk is gone")


class LargeAnswers:
    """An interface whose answers are as large as a test wants."""

    announcements = ()

    def blueprint(self, _service: Service) -> Blueprint:
        """Return the routes: ``/large/BYTES``, an answer that breaks, and one that comes once a file is there."""
        routes = Blueprint("large", __name__)
        routes.get("/block/<path:file>")(_block)
        routes.get("/large/<int:size>")(_large)
        routes.get("/breaking/<int:size>/<int:pieces>")(lambda size, pieces: respond(BreakingContent(size, pieces)))
        return routes

    def start(self, service: Service) -> None:
        """Do nothing: it has no sockets."""

    def close(self) -> None:
        """Do nothing."""


def _block(file: str) -> Response:
    wait_until(Path("/", file).exists, f"/{file}")
    return Response("at last")


def _large(size: int) -> Response:
    return respond(_content(size))


@functools.cache
def _content(size: int) -> FileContent:
    content, piece = FileContent(), bytes(range(256)) * (PIECE_BYTES // 256)
    while content.size < size:
        content.append(piece[: size - content.size])
    return content


class Crowded(Server):
    """A running server with large answers."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process = self  # type: ignore[assignment]  # has a host too, and a pid
        self.host, self.port, self.pid = "127.0.0.1", port, process.pid

    def http_process(self) -> int:
        """Return the id of the process that takes requests, the eldest child of gunicorn's arbiter."""
        return min(descendants(self.pid))

    def memory_bytes(self) -> int:
        """Return the memory that the process holds which takes requests."""
        return resident_bytes(self.http_process()) or 0


@contextlib.contextmanager
def large_answers(before: str = "", **limits: float) -> Iterator[Crowded]:
    """Run a server with large answers until the end of the block.

    Args:
        before: Python that the process of the server runs first.
        limits: limits of the server.
    """
    script = f"""
        from support.crowds import LargeAnswers
        from gateway.execution.worker import Target
        from gateway.listener import bind
        from gateway.protocol.messages import ServerLimits
        from gateway.server.host import serve
        from gateway.settings import Settings
        {before}
        listener = bind("127.0.0.1", 0)
        print(listener.getsockname()[1], flush=True)
        settings = Settings(workers=2, quiet=True, limits=ServerLimits(**{limits!r}))
        serve(Target({TARGET!r}), listener, settings, (LargeAnswers(),))
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, env=environment()
    ) as process:
        try:
            assert process.stdout is not None
            server = Crowded(process, int(process.stdout.readline()))
            wait_until(lambda: _is_ready(server), "a server that is ready")
            yield server
        finally:
            process.terminate()


def _is_ready(server: Crowded) -> bool:
    with contextlib.suppress(OSError):
        return server.request("GET", "/readyz").status == 200
    return False


def room_for_connections(number: int) -> int:
    """Let this process open so many connections; return how many it can have, which may be fewer."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return min(number, hard - 200)


class Crowd:
    """Many clients of one kind, in one thread; each begins again when the server ends its connection.

    Args:
        port: the port of the server.
        number: how many clients there are.
        request: what each sends when it has connected.
        drip: what each does every fifth of a second, ``None`` for nothing.
    """

    def __init__(
        self, port: int, number: int, request: bytes = b"", drip: Callable[[socket.socket], object] | None = None
    ) -> None:
        self._port = port
        self._number = number
        self._request = request
        self._drip = drip
        self._selector = selectors.DefaultSelector()
        self._ending = Event()
        self._thread = Thread(target=self._run, name="crowd")
        self.begun = 0
        """How often a client has begun."""

    def __enter__(self) -> Self:
        self._thread.start()
        wait_until(lambda: self.begun >= self._number, "all of a crowd to have connected")
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()
        for key in list(self._selector.get_map().values()):
            _socket(key).close()
        self._selector.close()

    def _run(self) -> None:
        for _ in range(self._number):
            self._begin()
        while not self._ending.is_set():
            began = time.monotonic()
            if self._drip is None:
                self._renew_closed()
            else:
                for key in list(self._selector.get_map().values()):
                    self._take_turn(_socket(key))
            self._ending.wait(max(0.01, began + DRIP_EVERY_S - time.monotonic()))

    def _renew_closed(self) -> None:
        for key, _ in self._selector.select(0):
            self._begin_again(_socket(key))  # what sends nothing receives nothing but the end

    def _take_turn(self, sock: socket.socket) -> None:
        assert self._drip is not None
        try:
            self._drip(sock)
        except BlockingIOError:
            return
        except OSError:
            self._begin_again(sock)

    def _begin_again(self, sock: socket.socket) -> None:
        self._selector.unregister(sock)
        sock.close()
        self._begin()

    def _begin(self) -> None:
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.settimeout(30)
        with contextlib.suppress(OSError):
            sock.connect(("127.0.0.1", self._port))
            sock.sendall(self._request)
        sock.setblocking(False)
        self._selector.register(sock, selectors.EVENT_READ)
        self.begun += 1


def _socket(key: selectors.SelectorKey) -> socket.socket:
    assert isinstance(key.fileobj, socket.socket)
    return key.fileobj


def read_a_little(sock: socket.socket) -> None:
    """Take a few bytes of an answer."""
    if not sock.recv(16):
        raise ConnectionResetError


def write_a_little(sock: socket.socket) -> None:
    """Send one byte more of a request."""
    sock.sendall(b" ")
