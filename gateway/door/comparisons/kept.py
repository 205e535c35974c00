"""A text as the door keeps it."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import NamedTuple

from gateway.errors import JobStoreError
from gateway.execution.content import IN_MEMORY_BYTES, PIECE_BYTES, Content, pieces_of
from gateway.jobs.compression import Compressor, restored


class Kept(NamedTuple):
    """A text as it is kept: compressed where that saves, and the number of bytes that it had."""

    body: bytes
    size: int

    @classmethod
    def of(cls, text: bytes) -> Kept:
        """Return a text as it is kept."""
        return cls(Compressor().keep(text), len(text))

    def text(self) -> bytes:
        """Return the text.

        Raises:
            JobStoreError: it is damaged.
        """
        return restored(self.body, self.size)

    def content(self) -> Content:
        """Return the text as the content of an answer; a large one is in nobody's memory as a whole.

        Raises:
            JobStoreError: it is damaged, which of a large one is only found while it is read.
        """
        return self.text() if self.size <= IN_MEMORY_BYTES else _Large(self)


class _Large:
    """A large text, which is restored while it is read."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self.size = kept.size

    def pieces(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Yield the bytes from ``start`` up to ``stop``, in pieces."""
        stop = self.size if stop is None else stop
        position = 0
        for piece in self._restored():
            wanted = piece[max(start - position, 0) : max(stop - position, 0)]
            position += len(piece)
            if wanted:
                yield wanted

    def _restored(self) -> Iterator[bytes]:
        kept, size = self._kept
        if len(kept) == size:
            yield from pieces_of(kept)
            return
        decompressor, rest, count = zlib.decompressobj(), kept, 0
        try:
            while piece := decompressor.decompress(rest, PIECE_BYTES):
                count += len(piece)
                yield piece
                rest = decompressor.unconsumed_tail
        except zlib.error as exc:
            raise JobStoreError("a text in the file of comparisons is damaged") from exc
        if count != size or not decompressor.eof:
            raise JobStoreError("a text in the file of comparisons is damaged")
