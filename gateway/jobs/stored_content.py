"""The answers in the job database, read piece by piece while somebody sends them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Protocol
from weakref import WeakValueDictionary

from gateway.errors import JobStoreError
from gateway.execution.content import PIECE_BYTES, Content, pieces_of
from gateway.jobs.compression import restored


class ReadHold:
    """Keeps a job from being removed for as long as somebody refers to the hold."""

    def __init__(self, number: int) -> None:
        self.number = number


class Readers:
    """Knows which jobs are being read."""

    def __init__(self) -> None:
        self._ids = itertools.count()
        self._holds: WeakValueDictionary[int, ReadHold] = WeakValueDictionary()

    def hold(self, number: int) -> ReadHold:
        """Return a hold on a job."""
        hold = ReadHold(number)
        self._holds[next(self._ids)] = hold
        return hold

    def held(self) -> set[int]:
        """Return the numbers of the jobs that are being read."""
        return {hold.number for reference in self._holds.valuerefs() if (hold := reference()) is not None}


class Pieces(Protocol):
    """The store, as far as a content needs it."""

    def row(self, number: int, position: int) -> bytes | None:
        """Return an answer that is kept in its row."""

    def piece(self, number: int, position: int, piece: int) -> bytes | None:
        """Return one piece of an answer that is kept in pieces, as it is kept."""


class StoredContent:
    """An answer in the database, of which one piece at a time is in memory.

    Args:
        store: reads the pieces, each in a short transaction of its own.
        hold: keeps the job from being removed meanwhile.
        position: the number of the circuit.
        size: the number of bytes of the answer.
        in_row: whether the answer is in the row of its circuit, where small answers are, and those of earlier versions.
    """

    def __init__(self, store: Pieces, hold: ReadHold, position: int, size: int, *, in_row: bool) -> None:
        self._store = store
        self._hold = hold
        self._position = position
        self._in_row = in_row
        self.size = size

    def pieces(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Yield the bytes from ``start`` up to ``stop``, in pieces of at most :data:`PIECE_BYTES`.

        Raises:
            JobStoreError: the answer cannot be read, or was removed.
        """
        stop = self.size if stop is None else min(stop, self.size)
        if start >= stop:
            return
        if self._in_row:
            yield from pieces_of(self._checked(self._store.row(self._hold.number, self._position)), start, stop)
            return
        while start < stop:
            number, offset = divmod(start, PIECE_BYTES)
            kept = self._checked(self._store.piece(self._hold.number, self._position, number))
            piece = restored(kept, min(PIECE_BYTES, self.size - number * PIECE_BYTES))
            piece = piece[offset : offset + stop - start]
            start += len(piece)
            yield piece

    @staticmethod
    def _checked(body: bytes | None) -> bytes:
        if not body:
            raise JobStoreError("the answers of the job were removed while they were read")
        return body


def numbered_pieces(content: Content, size: int) -> Iterator[tuple[int, bytes]]:
    """Yield the pieces of a large content as they are stored: all of the same size, but for the last one.

    Raises:
        UnreadableError: the content cannot be read.
    """
    for number, start in enumerate(range(0, size, PIECE_BYTES)):
        stop = min(start + PIECE_BYTES, size)
        try:
            piece = b"".join(pieces_of(content, start, stop))
        except (OSError, EOFError) as exc:
            raise UnreadableError(f"the answer cannot be read any more: {exc}") from exc
        if len(piece) != stop - start:
            raise UnreadableError(f"the answer ended after {start + len(piece):,} of {size:,} bytes")
        yield number, piece


class UnreadableError(Exception):
    """A content that was to be stored cannot be read."""
