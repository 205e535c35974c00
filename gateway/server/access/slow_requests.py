"""Breaks off requests that arrive too slowly: each occupies a thread until it has arrived."""

from __future__ import annotations

import contextlib
import math
import socket
import threading
import time
from typing import Protocol

_LOOK_EVERY_S = 0.5
CROWDED_S = 2.0
"""Seconds that a request may take to arrive while so many others arrive that few threads are free."""


class Connection(Protocol):
    """A connection of gunicorn's; TLS replaces its socket by another one on the same descriptor."""

    sock: socket.socket


class SlowRequests:
    """Breaks off connections whose request does not arrive whole in time.

    Args:
        within_s: seconds that a request may take to arrive.
    """

    def __init__(self, within_s: float = math.inf) -> None:
        self._within_s = within_s
        self._lock = threading.Lock()
        self._arriving: dict[int, tuple[Connection, float, float]] = {}
        self._crowd = math.inf

    def begin(self, connection: Connection) -> int:
        """Expect a request on a connection; return the number of the connection, which :meth:`arrived` takes."""
        fd = connection.sock.fileno()
        with self._lock:
            now = time.monotonic()
            self._arriving[fd] = (connection, now + self._within_s, now + min(self._within_s, CROWDED_S))
        return fd

    def arrived(self, fd: int) -> None:
        """Stop watching a connection, because its request has arrived or it has ended."""
        with self._lock:
            self._arriving.pop(fd, None)

    def watch(self, crowd: int) -> None:
        """Start the thread that breaks off late requests; while ``crowd`` of them arrive, each has less time."""
        self._crowd = crowd
        threading.Thread(target=self._watch, name="gateway-slow-requests", daemon=True).start()

    def _watch(self) -> None:
        while True:
            time.sleep(_LOOK_EVERY_S)
            self._break_off_late()

    def _break_off_late(self) -> None:
        now = time.monotonic()
        with self._lock:
            crowded = len(self._arriving) >= self._crowd
            late = [
                fd
                for fd, (_, usual_limit, crowded_limit) in self._arriving.items()
                if (crowded_limit if crowded else usual_limit) < now
            ]
            for fd in late:
                connection, *_ = self._arriving.pop(fd)
                with contextlib.suppress(OSError, ValueError):
                    connection.sock.shutdown(socket.SHUT_RDWR)  # the thread that reads from it reads the end
