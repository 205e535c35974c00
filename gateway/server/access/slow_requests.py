"""Breaks off requests that arrive too slowly: each occupies a thread until it is there."""

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


class SlowRequests:
    """Breaks off connections whose request has not arrived whole in time.

    Args:
        within_s: how long a request may take to arrive.
    """

    def __init__(self, within_s: float = math.inf) -> None:
        self._within_s = within_s
        self._lock = threading.Lock()
        self._arriving: dict[int, tuple[Connection, float, float]] = {}
        self._crowd = math.inf

    def begin(self, connection: Connection) -> int:
        """Expect a request; return the number of its connection, which :meth:`arrived` takes."""
        fd = connection.sock.fileno()
        with self._lock:
            now = time.monotonic()
            self._arriving[fd] = (connection, now + self._within_s, now + min(self._within_s, CROWDED_S))
        return fd

    def arrived(self, fd: int) -> None:
        """Let a connection take its time from now on: its request is there, or it has ended."""
        with self._lock:
            self._arriving.pop(fd, None)

    def watch(self, crowd: int) -> None:
        """Start a thread that looks now and then; while ``crowd`` requests arrive, each has less time."""
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
            late = [fd for fd, (_, usual, hasty) in self._arriving.items() if (hasty if crowded else usual) < now]
            for fd in late:
                connection, *_ = self._arriving.pop(fd)
                with contextlib.suppress(OSError, ValueError):
                    connection.sock.shutdown(socket.SHUT_RDWR)  # whoever reads from it reads the end
