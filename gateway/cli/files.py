"""Reads the circuits that commands are given, as files or on standard input."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO

from gateway.errors import RequestError
from gateway.protocol.messages import ServerLimits

_MAX_BYTES = ServerLimits().max_body_bytes
_STANDARD_INPUT = "-"


def where(file: str) -> str:
    """Return how a file is named in sentences."""
    return "standard input" if file == _STANDARD_INPUT else file


def read(file: str) -> str:
    """Return the text of a circuit from a file, or from standard input for ``-``.

    Raises:
        RequestError: the file cannot be read, is not text, or is larger than a server takes.
    """
    name = where(file)
    try:
        with _open(file) as stream:
            content = stream.read(_MAX_BYTES + 1)
    except OSError as exc:
        raise RequestError(f"cannot read the circuit in {name}: {exc.strerror or exc}", field="file") from exc
    if len(content) > _MAX_BYTES:
        raise RequestError(
            f"the circuit in {name} is larger than the {_MAX_BYTES:,} bytes a server takes", field="file"
        )
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise RequestError(f"the circuit in {name} is not text: byte {exc.start} is not UTF-8", field="file") from exc


def _open(file: str) -> AbstractContextManager[IO[bytes]]:
    return nullcontext(sys.stdin.buffer) if file == _STANDARD_INPUT else Path(file).open("rb")
