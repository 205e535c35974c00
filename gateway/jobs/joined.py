"""Contents put together into one, which is read piece by piece like each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from gateway.execution.content import PIECE_BYTES, Content, pieces_of, size_of


class Part(NamedTuple):
    """The bytes of a content from ``start`` up to ``stop``."""

    content: Content
    start: int
    stop: int


def part(content: Content, *, skip: int = 0, leave: int = 0) -> Part:
    """Return a content without its first ``skip`` bytes and its last ``leave`` bytes."""
    return Part(content, skip, size_of(content) - leave)


class Joined:
    """Parts of contents, one after the other.

    Args:
        parts: the parts.
        on_sent: called each time when all of it has been read to its end.
    """

    def __init__(self, parts: list[Part], on_sent: Callable[[], None] = lambda: None) -> None:
        self._parts = parts
        self._on_sent = on_sent
        self.size = sum(each.stop - each.start for each in parts)

    def pieces(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Yield the bytes from ``start`` up to ``stop``, in pieces of at most :data:`PIECE_BYTES`.

        Raises:
            JobStoreError: a part cannot be read.
        """
        stop = self.size if stop is None else min(stop, self.size)
        yield from _gathered(self._ranges(start, stop))
        if (start, stop) == (0, self.size):
            self._on_sent()

    def _ranges(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield the bytes in the pieces that the parts have."""
        begin = 0
        for each in self._parts:
            end = begin + each.stop - each.start
            if start < end and begin < stop:
                offset = each.start - begin
                yield from pieces_of(each.content, max(start, begin) + offset, min(stop, end) + offset)
            begin = end


def _gathered(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield fewer and larger pieces, since thousands of small ones take long to send."""
    gathered: list[bytes] = []
    size = 0
    for piece in pieces:
        if size + len(piece) > PIECE_BYTES:
            yield b"".join(gathered)
            gathered, size = [], 0
        gathered.append(piece)
        size += len(piece)
    if gathered:
        yield b"".join(gathered)
