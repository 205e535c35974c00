"""How an answer comes from a worker to the server: bytes of fixed meaning, nothing that would be unpickled.

The server reads with one call of the system where ``Connection.recv`` after a poll takes three: each
lets other threads have the interpreter, and under load waits for its turn again.
"""

from __future__ import annotations

import os
import socket
import struct
import time
from collections.abc import Callable
from multiprocessing.connection import Connection

from gateway.execution.runner import Answer

_HEAD = struct.Struct("!QH3d")
"""Size of the body, HTTP status, seconds spent in parse, build and run."""

_CHUNK = 2**16
_LOOK_EVERY_S = 0.1
_TIMEVAL = struct.Struct("ll")


def write_answer(pipe: Connection, answer: Answer) -> None:
    """Send an answer: the worker's end."""
    left = memoryview(_HEAD.pack(len(answer.body), answer.status, *answer.stages) + answer.body)
    while left:
        left = left[os.write(pipe.fileno(), left) :]


class AnswerReader:
    """The server's end.

    Args:
        pipe: to the worker.
        has_ended: says whether the worker's process has; asked now and then, since it may have left
            its end of the pipe to a child of its own.
    """

    def __init__(self, pipe: Connection, has_ended: Callable[[], bool]) -> None:
        self._pipe = pipe
        self._has_ended = has_ended
        look_every = _TIMEVAL.pack(0, round(_LOOK_EVERY_S * 1_000_000))
        with socket.socket(fileno=os.dup(pipe.fileno())) as same:  # a setting is the socket's, not the descriptor's
            same.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, look_every)

    def read(self, timeout_s: float) -> Answer:
        """Return the next answer.

        Raises:
            TimeoutError: it did not come in time.
            EOFError, OSError: the process ended.
        """
        give_up = time.monotonic() + timeout_s
        received = self._some(give_up)
        while len(received) < _HEAD.size:
            received += self._some(give_up)
        size, status, *stages = _HEAD.unpack_from(received)
        chunks, missing = [received[_HEAD.size :]], size - len(received) + _HEAD.size
        while missing > 0:
            chunks.append(self._some(give_up))
            missing -= len(chunks[-1])
        return Answer(status, b"".join(chunks), (stages[0], stages[1], stages[2]))

    def _some(self, give_up: float) -> bytes:
        while True:
            try:
                chunk = os.read(self._pipe.fileno(), _CHUNK)
            except BlockingIOError:  # nothing for a moment
                if time.monotonic() > give_up:
                    raise TimeoutError from None
                if self._has_ended():
                    raise EOFError from None
                continue
            if not chunk:
                raise EOFError
            return chunk
