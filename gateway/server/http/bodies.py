"""Keeps the bodies of requests until they are whole: small ones in memory, large ones in files, and not too many."""

from __future__ import annotations

import io
import logging
import tempfile
from typing import IO

from gateway.errors import BusyError

IN_MEMORY_BYTES = 2**20
"""A body up to this size is kept in memory, while there is room."""

ALL_IN_MEMORY_BYTES = 2**26
"""The bytes of all bodies that are kept in memory; those that come when there are so many are kept in files."""

FILES_FACTOR = 32
READ_FACTOR = 8
"""The bytes of all bodies in files, and of those that are read from files, as multiples of the largest body."""

log = logging.getLogger("gateway")

_NO_ROOM = "the server holds as many bytes of requests as it can"


class Bodies:
    """Keeps account of the bytes of all bodies. It belongs to one thread.

    Args:
        max_body_bytes: the size of the largest body.
    """

    def __init__(self, max_body_bytes: int) -> None:
        self._memory_bytes = ALL_IN_MEMORY_BYTES
        self._file_bytes = FILES_FACTOR * max_body_bytes
        self._read_bytes = READ_FACTOR * max_body_bytes

    def take_memory(self, size: int) -> bool:
        """Say whether there is room in memory, and if so, count it as taken."""
        has_room = size <= self._memory_bytes
        if has_room:
            self._memory_bytes -= size
        return has_room

    def take_file(self, size: int) -> None:
        """Count bytes in a file; a negative number gives them back.

        Raises:
            BusyError: there are too many.
        """
        if size > self._file_bytes:
            raise BusyError(_NO_ROOM, retry_after_s=1.0)
        self._file_bytes -= size

    def take_reading(self, size: int) -> None:
        """Count bytes that are read from a file into memory; a negative number gives them back.

        Raises:
            BusyError: there are too many.
        """
        if size > self._read_bytes:
            raise BusyError(_NO_ROOM, retry_after_s=1.0)
        self._read_bytes -= size

    def give_memory(self, size: int) -> None:
        """Count bytes in memory as given back."""
        self._memory_bytes += size


class Body:
    """The body of one request, in memory or in a file.

    Args:
        bodies: keeps account of its bytes.
    """

    __slots__ = ("_bodies", "_file", "_pieces", "_reading", "size")

    def __init__(self, bodies: Bodies) -> None:
        self._bodies = bodies
        self._pieces: list[bytes] = []
        self._file: IO[bytes] | None = None
        self._reading = 0
        self.size = 0

    def append(self, piece: bytes) -> None:
        """Add bytes that have come.

        Raises:
            BusyError: the server holds too many bytes, or its disk takes no more.
        """
        try:
            self._append(piece)
        except OSError as exc:
            log.warning("the body of a request cannot be kept: %s", exc)
            raise BusyError(_NO_ROOM, retry_after_s=1.0) from exc

    def _append(self, piece: bytes) -> None:
        if self._file is None:
            if self.size + len(piece) <= IN_MEMORY_BYTES and self._bodies.take_memory(len(piece)):
                self._pieces.append(piece)
                self.size += len(piece)
                return
            self._move_to_file()
        self._write(piece)

    def open(self) -> IO[bytes]:
        """Return the body as a file to be read from its beginning.

        Raises:
            BusyError: the bodies that are read into memory are too many.
        """
        if self._file is None:
            return io.BytesIO(b"".join(self._pieces))
        self._bodies.take_reading(self.size)
        self._reading = self.size
        self._file.seek(0)
        return self._file

    def close(self) -> None:
        """Give all bytes back."""
        if self._file is None:
            self._bodies.give_memory(self.size)
        else:
            self._file.close()
            self._bodies.take_file(-self.size)
            self._bodies.take_reading(-self._reading)
        self._pieces.clear()
        self.size = self._reading = 0

    def _move_to_file(self) -> None:
        pieces, in_memory = self._pieces, self.size
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - close() closes it
        self._pieces, self.size = [], 0
        self._bodies.give_memory(in_memory)
        for piece in pieces:
            self._write(piece)

    def _write(self, piece: bytes) -> None:
        assert self._file is not None  # noqa: S101 - a body that was moved has one
        self._bodies.take_file(len(piece))
        self.size += len(piece)
        remainder = memoryview(piece)
        while remainder:
            remainder = remainder[self._file.write(remainder) :]
