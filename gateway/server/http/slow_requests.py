"""Requests that arrive too slowly: each occupies a thread until it is there."""

from __future__ import annotations

import contextlib
import math
import socket
import threading
import time
from typing import Protocol

_LOOK_EVERY_S = 0.5
CROWDED_S = 2.0
"""How long a request may take to arrive while so many others do that few threads are left."""


class Connection(Protocol):
    """What gunicorn calls a connection; TLS replaces its socket by another on the same descriptor."""

    sock: socket.socket


class Arrivals:
    """Breaks off connections whose request has not arrived whole in time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[int, tuple[Connection, float, float]] = {}
        self._crowd = math.inf

    def begin(self, connection: Connection, within_s: float) -> int:
        """Expect a request; return what :meth:`end` takes."""
        fd = connection.sock.fileno()
        with self._lock:
            now = time.monotonic()
            self._waiting[fd] = (connection, now + within_s, now + min(within_s, CROWDED_S))
        return fd

    def end(self, fd: int) -> None:
        """Let a connection take its time from now on: the request is there."""
        with self._lock:
            self._waiting.pop(fd, None)

    def watch(self, crowd: int) -> None:
        """Start looking now and then; from ``crowd`` requests on, those that arrive have less time."""
        self._crowd = crowd
        threading.Thread(target=self._look, name="gateway-arrivals", daemon=True).start()

    def _look(self) -> None:
        while True:
            time.sleep(_LOOK_EVERY_S)
            now = time.monotonic()
            with self._lock:
                crowded = len(self._waiting) >= self._crowd
                late = [fd for fd, (_, usual, hasty) in self._waiting.items() if (hasty if crowded else usual) < now]
                for fd in late:
                    connection, *_ = self._waiting.pop(fd)
                    with contextlib.suppress(OSError, ValueError):
                        connection.sock.shutdown(socket.SHUT_RDWR)  # whoever reads from it reads the end


ARRIVALS = Arrivals()
"""Those of this process."""
