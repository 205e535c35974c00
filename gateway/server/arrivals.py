"""Requests that arrive too slowly: each occupies a thread until it is there."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import Protocol

_LOOK_EVERY_S = 0.5


class Connection(Protocol):
    """What gunicorn calls a connection; TLS replaces its socket by another on the same descriptor."""

    sock: socket.socket


class Arrivals:
    """Breaks off connections whose request has not arrived whole in time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[int, tuple[Connection, float]] = {}

    def begin(self, connection: Connection, within_s: float) -> int:
        """Expect a request; return what :meth:`end` takes."""
        fd = connection.sock.fileno()
        with self._lock:
            self._waiting[fd] = (connection, time.monotonic() + within_s)
        return fd

    def end(self, fd: int) -> None:
        """Let a connection take its time from now on: the request is there."""
        with self._lock:
            self._waiting.pop(fd, None)

    def watch(self) -> None:
        """Start looking now and then."""
        threading.Thread(target=self._look, name="gateway-arrivals", daemon=True).start()

    def _look(self) -> None:
        while True:
            time.sleep(_LOOK_EVERY_S)
            now = time.monotonic()
            with self._lock:
                late = [fd for fd, (_, deadline) in self._waiting.items() if deadline < now]
                for fd in late:
                    connection, _ = self._waiting.pop(fd)
                    with contextlib.suppress(OSError, ValueError):
                        connection.sock.shutdown(socket.SHUT_RDWR)  # whoever reads from it reads the end


ARRIVALS = Arrivals()
"""Those of this process."""
