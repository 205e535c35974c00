"""Writes results that are kept in MessagePack as JSON, for readers of that, with a piece of each in memory.

A result is not decoded into memory: it is read where a file is mapped, its arrays are views of that, and its JSON is
written piece by piece to another file.
"""

from __future__ import annotations

import mmap
import os

from gateway.errors import JobStoreError
from gateway.execution.content import IN_MEMORY_BYTES, Content, FileContent, pieces_of, size_of, whole
from gateway.jobs.joined import Part
from gateway.protocol.encodings import Encoding
from gateway.protocol.messages import RunResponse, decode
from gateway.protocol.result_message import parts_of, result_of


class Recoder:
    """Writes the results of one job as JSON, one after the other, into one file without a name.

    Args:
        folder: where files are made; by default the system's folder for temporary files.
    """

    def __init__(self, folder: str | os.PathLike[str] | None = None) -> None:
        self._folder = folder
        self._file: FileContent | None = None

    def result(self, content: Content) -> Part:
        """Return the JSON of the one result in a RunResponse in MessagePack.

        Raises:
            JobStoreError: there is no space for it, or the answer cannot be read.
        """
        try:
            return self._written(content)
        except JobStoreError:
            raise
        except (OSError, EOFError, ValueError) as exc:  # a RequestError, of what is no such answer, is a ValueError
            raise JobStoreError(f"a result could not be written as JSON: {exc}") from exc

    def _written(self, content: Content) -> Part:
        if self._file is None:
            self._file = FileContent(self._folder)
        start = self._file.size
        (message,) = decode(RunResponse, self._mapped(content), Encoding.MSGPACK).results
        for part in parts_of(result_of(message), Encoding.JSON):
            self._file.append(part)
        return Part(self._file, start, self._file.size)

    def _mapped(self, content: Content) -> bytes | mmap.mmap:
        """Return a content as a buffer; of a large one, memory has only what is read at the moment."""
        if size_of(content) <= IN_MEMORY_BYTES:
            return whole(content)
        copy = FileContent(self._folder)  # of our own, which nobody makes shorter while it is mapped
        for piece in pieces_of(content):
            copy.append(piece)
        return copy.mapped()
