"""Keeps answers compressed in the job database where that saves: pieces by themselves, so that each can be read alone.

What is shorter than it was is compressed; no other mark tells. Counts and other text take a quarter to a half of their
size. The bytes of arrays hardly shrink, which their first piece tells: they are left as they are.
"""

from __future__ import annotations

import zlib

from gateway.errors import JobStoreError

LEAST_BYTES = 2**10
"""Shorter answers are not worth the time."""

_LEVEL = 1
"""The fastest: higher ones take several times as long, and save little more."""

_MOST_OF_SIZE = 0.75
"""What would keep more of its size than this is left as it is."""


class Compressor:
    """Compresses the pieces of one answer, until the first one that is not worth it."""

    def __init__(self) -> None:
        self._is_worth_it = True

    def keep(self, piece: bytes) -> bytes:
        """Return a piece as it is kept."""
        if not self._is_worth_it or len(piece) < LEAST_BYTES:
            return piece
        compressed = zlib.compress(piece, _LEVEL)
        self._is_worth_it = len(compressed) <= len(piece) * _MOST_OF_SIZE
        return compressed if self._is_worth_it else piece


def restored(kept: bytes, size: int) -> bytes:
    """Return a piece of ``size`` bytes from what was kept of it.

    Raises:
        JobStoreError: that is not what was kept of so many bytes.
    """
    if len(kept) == size:
        return kept
    decompressor = zlib.decompressobj()
    try:
        piece = decompressor.decompress(kept, size + 1)  # one more tells whether there are more
    except zlib.error:
        piece = b""
    if len(piece) != size or not decompressor.eof:
        raise JobStoreError("an answer in the job database is damaged")
    return piece
