"""How server and worker speak: in numbered frames of a fixed format, of which the server unpickles nothing.

Each task has a number, and all that a worker sends about it repeats the number. An answer to another task than the one
that was asked, such as that of a process which a function left behind, is thus never taken for the answer.

A large answer is in a file without a name, which the worker writes and hands over with its frame. Where the worker
cannot write one, the answer goes through the pipe, and the server writes the file.

The server reads an answer with one system call, where ``Connection.recv`` after a poll takes three. Each
system call releases the interpreter to other threads and, under load, has to wait until it gets it back.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import struct
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum

from gateway.arrays import Buffer
from gateway.errors import JobStoreError, StorageFull
from gateway.execution.content import IN_MEMORY_BYTES, PIECE_BYTES, Content, FileContent, parts_of, size_of, whole
from gateway.execution.runner import Answer

_MAGIC = b"gw\x01\xfe"
_HEAD = struct.Struct("!4sBHQQ3d")
"""The mark of a frame, its kind, HTTP status, number of the task, size of the body, seconds in parse, build and run."""

_DESCRIPTOR = struct.Struct("i")

_TASK = struct.Struct("!QQ")
"""Number and size of a task."""

READY = 0
"""The number of the first task, which is to load the simulator."""

_OK = 200
_CHUNK = 2**16
_IN_FILE = 0x80
"""Stands in the kind of a frame whose body is in a file, the descriptor of which comes with the frame."""

_DESCRIPTOR_BYTES = socket.CMSG_LEN(_DESCRIPTOR.size)
"""Room for one descriptor that comes with bytes, and no more."""

_MOST_PARTS = 64
"""Parts that are written with one system call; the system takes at least 16 times as many."""

_CHECK_EVERY_S = 0.1
_TIMEVAL = struct.Struct("ll")
_NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Kind(IntEnum):
    """What a frame of a worker's tells."""

    ANSWER = 1
    STARTED = 2  # the id of something that goes on outside this machine if the worker is killed
    LAST_ANSWER = 3  # after which the worker can take no other task


class OutOfTurnError(Exception):
    """What came from a worker is no answer to the task that it was given."""


@dataclass(slots=True)
class Ending:
    """Says when one task has to end.

    Args:
        deadline: on the monotonic clock.
        is_cancelled: returns whether the task is wanted no more.
    """

    deadline: float
    is_cancelled: Callable[[], bool] = lambda: False

    @property
    def remaining_s(self) -> float:
        """The seconds that remain; negative after the deadline."""
        return self.deadline - time.monotonic()

    def check(self) -> None:
        """Raise if the task has to end now.

        Raises:
            TimeoutError: the deadline has passed.
            InterruptedError: the task was cancelled.
        """
        if self.is_cancelled():
            raise InterruptedError
        if self.remaining_s < 0:
            raise TimeoutError


# ---------------------------------------------------------------------------- at the worker's end


def read_task(pipe: socket.socket) -> tuple[int, bytes]:
    """Wait for a task, and return its number and its content.

    Raises:
        EOFError: the server has closed its end.
    """
    beginning = b""
    while len(beginning) < _TASK.size:
        chunk = pipe.recv(_CHUNK)  # there is never more than one task, and most are here whole
        if not chunk:
            raise EOFError
        beginning += chunk
    number, size = _TASK.unpack_from(beginning)
    if len(beginning) == _TASK.size + size:
        return number, beginning[_TASK.size :]
    content = bytearray(size)
    content[: len(beginning) - _TASK.size] = beginning[_TASK.size :]
    remainder = memoryview(content)[len(beginning) - _TASK.size :]
    while remainder:
        count = pipe.recv_into(remainder)
        if not count:
            raise EOFError
        remainder = remainder[count:]
    return number, bytes(content)


def write_answer(
    pipe: socket.socket,
    number: int,
    answer: Answer,
    kind: Kind = Kind.ANSWER,
    keep: Callable[[], FileContent] | None = None,
) -> None:
    """Send the answer to a task.

    Args:
        pipe: the pipe to the server.
        number: of the task.
        answer: the answer.
        kind: of the frame.
        keep: makes the file in which a large answer is handed over, instead of going through the pipe.
    """
    if keep is not None and size_of(answer.body) > IN_MEMORY_BYTES and answer.status == _OK:
        with contextlib.suppress(OSError):  # the server tries to keep it itself, and says what is in the way
            content = _written(keep(), answer.body)
            head = _HEAD.pack(_MAGIC, kind | _IN_FILE, answer.status, number, content.size, *answer.stages)
            socket.send_fds(pipe, [head], [content.fileno()])
            content.close()
            return
    head = _HEAD.pack(_MAGIC, kind, answer.status, number, size_of(answer.body), *answer.stages)
    _write(pipe, [head, *parts_of(answer.body)])


def _written(file: FileContent, content: Content) -> FileContent:
    for part in parts_of(content):
        file.append(part)
    return file


def write_started(pipe: socket.socket, number: int, name: str) -> None:
    """Tell the server that a task has started something outside this machine."""
    body = name.encode()
    _write(pipe, [_HEAD.pack(_MAGIC, Kind.STARTED, 0, number, len(body), 0, 0, 0), body])


def _write(pipe: socket.socket, parts: Iterable[Buffer]) -> None:
    """Write with as few system calls as possible, and without a copy of what is large."""
    remainders = [memoryview(part) for part in parts if part]
    while remainders:
        written = pipe.sendmsg(remainders[:_MOST_PARTS])
        while remainders and written >= len(remainders[0]):
            written -= len(remainders.pop(0))
        if remainders:
            remainders[0] = remainders[0][written:]


# ---------------------------------------------------------------------------- at the server's end


class AnswerReader:
    """Sends tasks and reads answers at the server's end of the pipe. One thread uses it at a time.

    Args:
        pipe: the pipe to the worker.
        has_ended: returns whether the worker's process has ended. The reader calls it now and then, since
            the pipe stays open if the worker has left its end to a child of its own.
        folder: where large answers are kept until they are sent or stored; by default the system's folder for
            temporary files.

    Attributes:
        started: the ids of what tasks have started outside this machine.
        is_over: whether the worker has said that it can take no other task.
    """

    def __init__(
        self, pipe: socket.socket, has_ended: Callable[[], bool], folder: str | os.PathLike[str] | None = None
    ) -> None:
        self._pipe = pipe
        self._has_ended = has_ended
        self._folder = folder
        self._buffer = b""
        self._file: FileContent | None = None
        self.started: list[str] = []
        self.is_over = False
        check_every = _TIMEVAL.pack(0, round(_CHECK_EVERY_S * 1_000_000))
        pipe.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, check_every)
        pipe.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, check_every)

    @property
    def is_silent(self) -> bool:
        """Whether the pipe is open, and nothing has come that nobody asked for."""
        if self._buffer:
            return False
        try:
            self._pipe.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def send(self, number: int, task: bytes, ending: Ending) -> None:
        """Send a task.

        Raises:
            TimeoutError, InterruptedError: it has to end before the worker has taken all of it.
            EOFError, OSError: the process ended.
        """
        remainder = memoryview(_TASK.pack(number, len(task)) + task)
        while remainder:
            try:
                remainder = remainder[os.write(self._pipe.fileno(), remainder) :]
            except BlockingIOError:  # the worker takes nothing for a moment
                ending.check()
                self._check_process()

    def read(self, number: int, ending: Ending) -> Answer:
        """Return the answer to the task with this number, and add what the task has started to ``started``.

        Raises:
            TimeoutError, InterruptedError: the task has to end.
            EOFError, OSError: the process ended.
            OutOfTurnError: something came that is no answer to this task.
            JobStoreError: the answer is large, and could not be kept.
        """
        while True:
            kind, is_in_file, status, size, stages = self._read_head(number, ending)
            if is_in_file and kind is not Kind.STARTED:
                body: Content = self._take_file(size)
            else:
                body = self._read_body(size, ending, is_large=size > IN_MEMORY_BYTES and status == _OK)
            if kind is not Kind.STARTED:
                break
            self.started.append(whole(body).decode(errors="replace"))
        if self._buffer:
            raise OutOfTurnError("something came after the answer")
        self.is_over = kind is Kind.LAST_ANSWER
        return Answer(status, body, stages)

    def _read_head(self, number: int, ending: Ending) -> tuple[Kind, bool, int, int, tuple[float, float, float]]:
        self._file = None
        while len(self._buffer) < _HEAD.size:
            self._buffer += self._read_chunk(ending)
        mark, flagged, status, found, size, *stages = _HEAD.unpack_from(self._buffer)
        kind = flagged & ~_IN_FILE
        if mark != _MAGIC or kind not in Kind.__members__.values():
            raise OutOfTurnError("something came that is no answer")
        if found != number:
            raise OutOfTurnError("the answer of another run came")
        self._buffer = self._buffer[_HEAD.size :]
        return Kind(kind), bool(flagged & _IN_FILE), status, size, (stages[0], stages[1], stages[2])

    def _take_file(self, size: int) -> FileContent:
        """Return the file that came with a frame.

        Raises:
            OutOfTurnError: another one came than the frame says, or none.
        """
        file, self._file = self._file, None
        if file is None or file.size != size:
            raise OutOfTurnError("an answer came without its file")
        return file

    def _keep_file(self, ancillary: list[tuple[int, int, bytes]]) -> None:
        """Keep the file whose descriptor came with some bytes; it is closed unless a frame says that it is its body."""
        for level, kind, data in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS) and len(data) == _DESCRIPTOR.size:
                with contextlib.suppress(ValueError):
                    self._file = FileContent.of_descriptor(*_DESCRIPTOR.unpack(data))

    def _read_body(self, size: int, ending: Ending, *, is_large: bool) -> Content:
        if is_large:
            return self._read_into_file(size, ending)
        chunks, remaining = [], size
        while remaining > 0:
            chunk = self._buffer or self._read_chunk(ending, PIECE_BYTES)
            chunks.append(chunk[:remaining])
            self._buffer = chunk[remaining:]
            remaining -= len(chunks[-1])
        return b"".join(chunks)

    def _read_into_file(self, size: int, ending: Ending) -> Content:
        with _kept(size):
            content = FileContent(self._folder)
        while content.size < size:
            chunk = self._buffer or self._read_chunk(ending, PIECE_BYTES)
            remaining = size - content.size
            self._buffer = chunk[remaining:]
            with _kept(size):
                content.append(memoryview(chunk)[:remaining])
        return content

    def _read_chunk(self, ending: Ending, size: int = _CHUNK) -> bytes:
        """Return the bytes that have arrived, after waiting for at least one; errors as those of :meth:`read`."""
        while True:
            ending.check()
            try:
                chunk, ancillary, _, _ = self._pipe.recvmsg(size, _DESCRIPTOR_BYTES)
            except BlockingIOError:  # nothing for a moment
                self._check_process()
                continue
            if ancillary:
                self._keep_file(ancillary)
            if not chunk:
                raise EOFError
            return chunk

    def _check_process(self) -> None:
        if self._has_ended():
            raise EOFError from None


@contextlib.contextmanager
def _kept(size: int) -> Iterator[None]:
    """Write to the file of an answer of so many bytes.

    Raises:
        JobStoreError: that failed.
    """
    try:
        yield
    except OSError as exc:
        kind = StorageFull if exc.errno in _NO_SPACE else JobStoreError
        raise kind(f"the answer of {size:,} bytes could not be kept: {exc.strerror or exc}") from exc
