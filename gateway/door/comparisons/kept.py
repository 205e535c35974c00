"""A text as the door keeps it."""

from __future__ import annotations

from typing import NamedTuple

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
