"""The answers in the job database, read piece by piece while somebody sends them."""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections.abc import Iterator, Mapping
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

    def rows(self, number: int, first: int, last: int) -> dict[int, bytes]:
        """Return answers that are kept in their rows, by position, from the first up to the last of some positions."""

    def piece(self, number: int, position: int, piece: int) -> bytes | None:
        """Return one piece of an answer that is kept in pieces, as it is kept."""


class Rows:
    """Answers of a job that are kept in their rows. Each is read with those that follow it, as far as they are small.

    Args:
        store: reads them.
        hold: keeps the job from being removed meanwhile.
        sizes: the number of bytes of each, in the order of the positions.
    """

    def __init__(self, store: Pieces, hold: ReadHold, sizes: Mapping[int, int]) -> None:
        self._store = store
        self._hold = hold
        self._positions = list(sizes)
        self._sizes = list(sizes.values())
        self._read: dict[int, bytes] = {}

    def get(self, position: int) -> bytes | None:
        """Return an answer, ``None`` if it was removed."""
        read = self._read
        if position not in read:
            first = last = bisect_left(self._positions, position)
            size = self._sizes[first]
            while last + 1 < len(self._sizes) and size + self._sizes[last + 1] <= PIECE_BYTES:
                last += 1
                size += self._sizes[last]
            self._read = read = self._store.rows(self._hold.number, position, self._positions[last])
        return read.get(position)


class StoredContent:
    """An answer in the database, of which one piece at a time is in memory.

    Args:
        store: reads the pieces, each in a short transaction of its own.
        hold: keeps the job from being removed meanwhile.
        position: the number of the circuit.
        size: the number of bytes of the answer.
        rows: has the answer if it is in the row of its circuit, where small ones are, and those of earlier versions.
    """

    def __init__(self, store: Pieces, hold: ReadHold, position: int, size: int, rows: Rows | None) -> None:
        self._store = store
        self._hold = hold
        self._position = position
        self._rows = rows
        self.size = size

    def pieces(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Yield the bytes from ``start`` up to ``stop``, in pieces of at most :data:`PIECE_BYTES`.

        Raises:
            JobStoreError: the answer cannot be read, or was removed.
        """
        stop = self.size if stop is None else min(stop, self.size)
        if start >= stop:
            return
        if self._rows is not None:
            yield from pieces_of(self._checked(self._rows.get(self._position)), start, stop)
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
