"""How a worker sends an answer to the server: as bytes in a fixed format, of which nothing is unpickled.

The server reads an answer with one system call, where ``Connection.recv`` after a poll takes three. Each
system call releases the interpreter to other threads and, under load, has to wait until it gets it back.
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
_CHECK_EVERY_S = 0.1
_TIMEVAL = struct.Struct("ll")


def write_answer(pipe: Connection, answer: Answer) -> None:
    """Send an answer from the worker through its end of the pipe."""
    remainder = memoryview(_HEAD.pack(len(answer.body), answer.status, *answer.stages) + answer.body)
    while remainder:
        remainder = remainder[os.write(pipe.fileno(), remainder) :]


class AnswerReader:
    """Reads answers at the server's end of the pipe.

    Args:
        pipe: the pipe to the worker.
        has_ended: returns whether the worker's process has ended. The reader calls it now and then, since
            the pipe stays open if the worker has left its end to a child of its own.
    """

    def __init__(self, pipe: Connection, has_ended: Callable[[], bool]) -> None:
        self._pipe = pipe
        self._has_ended = has_ended
        check_every = _TIMEVAL.pack(0, round(_CHECK_EVERY_S * 1_000_000))
        with socket.socket(fileno=os.dup(pipe.fileno())) as same:  # a timeout of the socket holds for both descriptors
            same.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, check_every)

    def read(self, timeout_s: float) -> Answer:
        """Return the next answer.

        Raises:
            TimeoutError: the answer did not come in time.
            EOFError, OSError: the process ended.
        """
        deadline = time.monotonic() + timeout_s
        head = self._read_chunk(deadline)
        while len(head) < _HEAD.size:
            head += self._read_chunk(deadline)
        size, status, *stages = _HEAD.unpack_from(head)
        chunks, remaining_bytes = [head[_HEAD.size :]], size - len(head) + _HEAD.size
        while remaining_bytes > 0:
            chunks.append(self._read_chunk(deadline))
            remaining_bytes -= len(chunks[-1])
        return Answer(status, b"".join(chunks), (stages[0], stages[1], stages[2]))

    def _read_chunk(self, deadline: float) -> bytes:
        """Return the bytes that have arrived, after waiting for at least one; errors as those of :meth:`read`."""
        while True:
            try:
                chunk = os.read(self._pipe.fileno(), _CHUNK)
            except BlockingIOError:  # nothing for a moment
                if time.monotonic() > deadline:
                    raise TimeoutError from None
                if self._has_ended():
                    raise EOFError from None
                continue
            if not chunk:
                raise EOFError
            return chunk
