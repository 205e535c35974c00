"""How the door and the process of a comparison speak: in frames, each of a kind, a size and a body."""

from __future__ import annotations

import socket
import struct
import threading
from enum import IntEnum

import msgspec

from gateway.door.comparisons.address import SimulatorAddress
from gateway.protocol.door import ComparisonLimits, ComparisonProgress, ComparisonRequest

_HEAD = struct.Struct("!BQ")
_CHUNK = 2**20


class Kind(IntEnum):
    """What a frame is."""

    CHECK = 1
    """To the process: a :class:`Task` whose request is to be checked."""
    COMPARE = 2
    """To the process: a :class:`Task` that is to be done."""
    INTERRUPT = 3
    """To the process: save what has finished, and end."""
    CHECKED = 4
    """A :class:`Checked`."""
    PROGRESS = 5
    """A :class:`Said`."""
    ENDED = 6
    """An :class:`Outcome`."""
    PROBLEM = 7
    """A problem document: the request is refused, or the comparison failed."""


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What a process is to do.

    Args:
        request: what was asked for.
        simulators: name -> where it is.
        limits: of the door.
    """

    request: ComparisonRequest
    simulators: dict[str, SimulatorAddress]
    limits: ComparisonLimits


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """A request that is not refused.

    Args:
        summary: the size of the circuits.
        simulators: the names of the simulators, chosen if the request names none.
    """

    summary: str
    simulators: tuple[str, ...]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """A record, and what a list says of it.

    Args:
        record: the record as JSON, compressed where that saves.
        size: the bytes that it had.
        loud: the loud part of the verdict.
        quiet: the quiet part.
        standing: what the whole comparison amounts to.
        interrupted: whether it was ended early.
        results: how many simulators have ended a circuit.
    """

    record: bytes
    size: int
    loud: str
    quiet: str
    standing: str
    interrupted: bool = False
    results: int = 0


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """How far a comparison is.

    Args:
        progress: of the whole.
        partial: what has finished, if that is more than the last time.
    """

    progress: ComparisonProgress
    partial: Outcome | None = None


class Channel:
    """One end of a pipe; several threads may write to it, and one may read.

    Args:
        pipe: the socket.
    """

    def __init__(self, pipe: socket.socket) -> None:
        self._pipe = pipe
        self._writing = threading.Lock()
        self._arrived = bytearray()

    def send(self, kind: Kind, body: bytes = b"") -> None:
        """Write a frame.

        Raises:
            OSError: the other end is closed.
        """
        with self._writing:
            self._pipe.sendall(_HEAD.pack(kind, len(body)) + body)

    def receive(self) -> tuple[Kind, bytes]:
        """Wait for a frame.

        Raises:
            EOFError: the other end is closed.
            TimeoutError: nothing came for as long as the socket waits; what has arrived is kept for the next call.
        """
        head = self._first(_HEAD.size)
        kind, size = _HEAD.unpack(head)
        frame = self._first(_HEAD.size + size)
        del self._arrived[: len(frame)]
        return Kind(kind), frame[_HEAD.size :]

    def _first(self, size: int) -> bytes:
        """Return the first bytes that have arrived and were not taken, once there are so many."""
        while len(self._arrived) < size:
            try:
                chunk = self._pipe.recv(_CHUNK)
            except ConnectionError:
                chunk = b""
            if not chunk:
                raise EOFError
            self._arrived += chunk
        return bytes(self._arrived[:size])


def dump(message: msgspec.Struct) -> bytes:
    """Return a message as the body of a frame."""
    return msgspec.msgpack.encode(message)
