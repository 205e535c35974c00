"""The content of an answer: bytes, or for a large one a file that is read piece by piece.

A large answer is in nobody's memory as a whole once its worker has sent it: the server keeps it in a file without a
name, which ends with the last descriptor, and whoever stores or sends it reads it piece by piece.
"""

from __future__ import annotations

import mmap
import os
import stat
import tempfile
import weakref
from collections.abc import Iterator
from typing import Protocol, runtime_checkable

from gateway.arrays import Buffer

PIECE_BYTES = 2**18
"""The largest piece of a large content, in bytes."""

IN_MEMORY_BYTES = 2**20
"""A content up to this size is kept in memory, as bytes."""


@runtime_checkable
class LargeContent(Protocol):
    """A content that is kept outside memory."""

    @property
    def size(self) -> int:
        """The number of bytes."""

    def pieces(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Yield the bytes from ``start`` up to ``stop``, in pieces of at most :data:`PIECE_BYTES`."""


Content = bytes | LargeContent


class PartsContent:
    """A content in parts that are in memory, as a worker writes it; they are not put together.

    Args:
        parts: the parts, one after the other.
    """

    def __init__(self, parts: list[Buffer]) -> None:
        self.parts = parts
        self.size = sum(map(len, parts))

    def pieces(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Yield the bytes from ``start`` up to ``stop``, in pieces of at most :data:`PIECE_BYTES`."""
        stop = self.size if stop is None else stop
        begin = 0
        for part in self.parts:
            first, last = max(start - begin, 0), min(stop - begin, len(part))
            for offset in range(first, last, PIECE_BYTES):
                yield bytes(memoryview(part)[offset : min(offset + PIECE_BYTES, last)])
            begin += len(part)


class FileContent:
    """A content in a file without a name; several threads may read it at the same time.

    Args:
        folder: where the file is made; by default the system's folder for temporary files.
    """

    def __init__(self, folder: str | os.PathLike[str] | None = None) -> None:
        with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
            self._hold(os.dup(file.fileno()), 0)

    def _hold(self, fd: int, size: int) -> None:
        self._fd = fd
        self._close = weakref.finalize(self, os.close, fd)
        self.size = size

    @classmethod
    def of_descriptor(cls, fd: int) -> FileContent:
        """Return a content in a file that is open already; the descriptor is handed over, in any case.

        Raises:
            ValueError: it is the descriptor of something else than a file.
        """
        self = cls.__new__(cls)
        self._hold(fd, 0)
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise ValueError("it is no file")
        self.size = status.st_size
        return self

    def fileno(self) -> int:
        """Return the descriptor of the file, which stays this content's."""
        return self._fd

    def append(self, piece: bytes | memoryview) -> None:
        """Write bytes at the end.

        Raises:
            OSError: no space is left, for one.
        """
        remainder = memoryview(piece)
        while remainder:
            written = os.pwrite(self._fd, remainder, self.size)
            self.size += written
            remainder = remainder[written:]

    def pieces(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Yield the bytes from ``start`` up to ``stop``, in pieces of at most :data:`PIECE_BYTES`."""
        stop = self.size if stop is None else min(stop, self.size)
        while start < stop:
            piece = os.pread(self._fd, min(PIECE_BYTES, stop - start), start)
            if not piece:
                raise EOFError("the file of an answer is shorter than what was written to it")
            start += len(piece)
            yield piece

    def mapped(self) -> mmap.mmap:
        """Return the bytes as a buffer that the system reads from the file as far as it is used."""
        return mmap.mmap(self._fd, self.size, prot=mmap.PROT_READ)

    def close(self) -> None:
        """Give the file back at once instead of with the last reference."""
        self._close()


def size_of(content: Content) -> int:
    """Return the number of bytes of a content."""
    return len(content) if isinstance(content, bytes) else content.size


def pieces_of(content: Content, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
    """Yield the bytes of a content from ``start`` up to ``stop``, in pieces of at most :data:`PIECE_BYTES`."""
    if not isinstance(content, bytes):
        yield from content.pieces(start, stop)
        return
    stop = len(content) if stop is None else min(stop, len(content))
    for begin in range(start, stop, PIECE_BYTES):
        yield content[begin : min(begin + PIECE_BYTES, stop)]


def parts_of(content: Content) -> list[Buffer]:
    """Return a content as parts in memory, which for one that is in memory costs nothing."""
    return content.parts if isinstance(content, PartsContent) else [whole(content)]


def whole(content: Content) -> bytes:
    """Return a content as bytes, which takes its whole size in memory."""
    return content if isinstance(content, bytes) else b"".join(content.pieces())
