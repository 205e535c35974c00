"""Decides which connections are ended: those that are too slow, too long idle, or one too many.

A connection is in one of four stages. It is idle while neither a request nor an answer is under way, arriving while
a request comes in, working while its request is being answered, and sending while its client takes the answer.
"""

from __future__ import annotations

import logging
import math
import resource
import time
from collections.abc import Callable
from enum import Enum, auto
from typing import Protocol

from gateway.protocol.messages import ServerLimits

IDLE_S = 75
"""Seconds after which an idle connection is closed, however few there are."""

FRESH_S = 1.0
"""Seconds for which an idle connection is fresh: a request may be on its way on it."""

SPEED_WINDOW_S = 30.0
"""Seconds over which the speed of an answer is measured, so that a client may pause."""

PROBE_PLACES = 64
"""Connections beyond the limit on which nothing but probes is answered."""

DESCRIPTORS_EACH = 3
"""Descriptors that a connection may need: its socket, a file for its request, and a file for its answer."""

OTHER_DESCRIPTORS = 256
"""Descriptors for all else, or half of those that there are: workers, the job database, log files."""

log = logging.getLogger("gateway")


class Stage(Enum):
    """What is under way on a connection."""

    IDLE = auto()
    ARRIVING = auto()
    WORKING = auto()
    SENDING = auto()


class Connection(Protocol):
    """A connection, as far as these rules are concerned."""

    def end(self) -> None:
        """End the connection at once, whatever is under way."""

    def taken_bytes(self) -> int:
        """Return how many bytes of answers the client's system has taken."""

    def is_waiting(self) -> bool:
        """Say whether bytes of an answer wait for the client to take them."""


class _Stay:
    """The time for which a connection has been in its stage; while it sends, of its window of measurement.

    Args:
        stage: what is under way.
        since: when that began.
        taken_bytes: the bytes that the client had taken then.
        is_written: whether the server has written its whole answer, and only the client has to take it.
    """

    __slots__ = ("is_written", "since", "stage", "taken_bytes")

    def __init__(self, stage: Stage, since: float, taken_bytes: int = 0, *, is_written: bool = False) -> None:
        self.stage = stage
        self.since = since
        self.taken_bytes = taken_bytes
        self.is_written = is_written


class Connections:
    """Keeps the stage of each connection, and ends those that break a rule. It belongs to one thread.

    Args:
        limits: the limits of the server; of these, ``max_connections``, ``max_arrival_s`` and ``least_bytes_per_s``.
        clock: tells the time in seconds.
    """

    def __init__(self, limits: ServerLimits, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = min(limits.max_connections, _most_with_descriptors())
        if self._most < limits.max_connections:
            log.warning(
                "the system lets this server have so few descriptors that it takes %d connections at a time, not %d: "
                "raise what 'ulimit -n' says",
                self._most,
                limits.max_connections,
            )
        self._arrival_s = limits.max_arrival_s
        self._window_bytes = limits.least_bytes_per_s * SPEED_WINDOW_S
        self._clock = clock
        self._all: dict[Connection, _Stay] = {}
        # A dict keeps its order: in each stage, the connection that has been there for longest is the first.
        self._stages: dict[Stage, dict[Connection, _Stay]] = {stage: {} for stage in Stage}

    def __len__(self) -> int:
        return len(self._all)

    def opened(self, connection: Connection) -> bool:
        """Take note of a new connection, and end another for it if there are too many.

        Returns:
            Whether the connection may be used for everything; else only probes are answered on it.
        """
        stay = self._all[connection] = _Stay(Stage.IDLE, self._clock())
        self._stages[Stage.IDLE][connection] = stay
        if len(self._all) <= self._most:
            return True
        victim = self._dispensable(connection)
        if victim is not None:
            self._end(victim)
            return True
        if len(self._all) > self._most + PROBE_PLACES:
            self._end(connection)
        return False

    def replaced(self, connection: Connection, successor: Connection) -> None:
        """Take note that another object stands for a connection from now on."""
        stay = self._all.pop(connection, None)
        if stay is not None:
            del self._stages[stay.stage][connection]
            self._all[successor] = self._stages[stay.stage][successor] = stay

    def closed(self, connection: Connection) -> None:
        """Forget a connection."""
        stay = self._all.pop(connection, None)
        if stay is not None:
            del self._stages[stay.stage][connection]

    def stage_of(self, connection: Connection) -> Stage | None:
        """Return what is under way on a connection, ``None`` if the connection was ended."""
        stay = self._all.get(connection)
        return None if stay is None else stay.stage

    def received(self, connection: Connection) -> None:
        """Take note that bytes have come: on an idle connection, they are the first of a request."""
        if connection in self._stages[Stage.IDLE]:
            self._move(connection, Stage.ARRIVING)

    def arrived(self, connection: Connection) -> None:
        """Take note that a request has arrived whole."""
        self._move(connection, Stage.WORKING)

    def answering(self, connection: Connection) -> None:
        """Take note that the client receives an answer from now on."""
        self._move(connection, Stage.SENDING)

    def answered(self, connection: Connection) -> None:
        """Take note that an answer was written, though the client may not have taken all of it."""
        if not connection.is_waiting():
            self._move(connection, Stage.IDLE)
            return
        if connection not in self._stages[Stage.SENDING]:
            self._move(connection, Stage.SENDING)
        if connection in self._all:
            self._all[connection].is_written = True

    def end_idle(self) -> None:
        """End all connections on which nothing is under way."""
        for connection in list(self._stages[Stage.IDLE]):
            self._end(connection)

    def look(self) -> None:
        """End the connections whose time is up; to be called about every second."""
        now = self._clock()
        for stage, lasts_s in ((Stage.IDLE, IDLE_S), (Stage.ARRIVING, self._arrival_s)):
            for connection, stay in list(self._stages[stage].items()):
                if stay.since + lasts_s > now:
                    break
                self._end(connection)
        for connection, stay in list(self._stages[Stage.SENDING].items()):
            self._measure(connection, stay, now)

    def _measure(self, connection: Connection, stay: _Stay, now: float) -> None:
        taken_bytes = connection.taken_bytes()
        if not connection.is_waiting():
            if stay.is_written:
                self._move(connection, Stage.IDLE)
            else:  # the client is faster than whatever the answer is read from
                stay.since, stay.taken_bytes = now, taken_bytes
        elif now - stay.since >= SPEED_WINDOW_S:
            if taken_bytes - stay.taken_bytes < self._window_bytes:
                self._end(connection)
            stay.since, stay.taken_bytes = now, taken_bytes

    def _dispensable(self, newcomer: Connection) -> Connection | None:
        """Return the connection to end for a new one: idle for longest, else the slowest to send its request."""
        idle, arriving = self._stages[Stage.IDLE], self._stages[Stage.ARRIVING]
        oldest = _first(idle, newcomer)
        if oldest is not None:
            is_fresh = idle[oldest].since + FRESH_S > self._clock()
            if not is_fresh or len(idle) > len(arriving):
                return oldest
        return _first(arriving, newcomer) or oldest

    def _move(self, connection: Connection, stage: Stage) -> None:
        stay = self._all.get(connection)
        if stay is None:
            return  # it was ended a moment ago
        if stage is Stage.SENDING:
            stay.taken_bytes = connection.taken_bytes()
        del self._stages[stay.stage][connection]
        stay.stage, stay.since, stay.is_written = stage, self._clock(), False
        self._stages[stage][connection] = stay

    def _end(self, connection: Connection) -> None:
        self.closed(connection)
        connection.end()


def _first(connections: dict[Connection, _Stay], other_than: Connection) -> Connection | None:
    return next((connection for connection in connections if connection is not other_than), None)


def raise_descriptor_limit() -> None:
    """Let this process have as many descriptors as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _most_with_descriptors() -> float:
    """Return how many connections there may be with the descriptors of this process."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return math.inf
    return max(1, (soft - min(OTHER_DESCRIPTORS, soft // 2)) // DESCRIPTORS_EACH)
