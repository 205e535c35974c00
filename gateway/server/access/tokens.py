"""The tokens a server lets in: named, several, exchanged without a restart. Only their digests are here."""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import re
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from gateway.errors import RequestError

_ENTRY = re.compile(r"(?:(?P<name>[\w.@-]{1,64})\s*[\s:=]\s*)?(?:sha256:)?(?P<digest>[0-9a-fA-F]{64})")

log = logging.getLogger("gateway")


class Known(NamedTuple):
    """A token that is let in: whose it is, and its SHA-256 in hex."""

    name: str
    digest: str


def parse_tokens(entries: Sequence[str], where: str) -> tuple[Known, ...]:
    """Read entries of the form ``NAME sha256:HEX``; a digest alone is named by its first eight digits.

    Raises:
        RequestError: an entry of another form; it is not shown, as it may be the token itself.
    """
    known = []
    for number, entry in enumerate(entries, 1):
        match = _ENTRY.fullmatch(entry.strip())
        if match is None:
            raise RequestError(
                f"{where}, entry {number}: a token is written as NAME sha256:HEX; 'gateway token NAME' makes one"
            )
        digest = match["digest"].lower()
        known.append(Known(match["name"] or digest[:8], digest))
    return tuple(known)


def tokens_of(digests: Sequence[str], file: Path | None) -> Tokens:
    """Return the tokens that settings name.

    Raises:
        RequestError: a digest or a line of the file is malformed, or the file cannot be read.
    """
    return Tokens(parse_tokens(digests, "the setting 'tokens' (or GATEWAY_TOKEN_SHA256)"), file)


class Tokens:
    """Knows who holds which token.

    Args:
        fixed: tokens that do not change while the server runs.
        file: more of them, one a line, ``#`` begins a comment; read again when it changes. While it
            cannot be read, the tokens read last stay.

    Raises:
        RequestError: the file cannot be read, or has a line of another form.
    """

    def __init__(self, fixed: Sequence[Known] = (), file: Path | None = None) -> None:
        self._fixed = tuple(fixed)
        self._file = file
        self._lock = threading.Lock()
        self._stamp: tuple[int, ...] = ()
        self._read: tuple[Known, ...] = ()
        if file is not None:
            self._stamp, self._read = _stamp(file), _load(file)

    def __bool__(self) -> bool:
        """Whether a token is wanted at all; with a file it is, though the file may be empty."""
        return bool(self._fixed) or self._file is not None

    def holder(self, token: str) -> str | None:
        """Return whose token it is, ``None`` if it is nobody's; compared in constant time."""
        digest = hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()
        matches = [known.name for known in self._all() if hmac.compare_digest(known.digest, digest)]
        return matches[0] if matches else None

    def _all(self) -> tuple[Known, ...]:
        if self._file is not None:
            with self._lock:
                self._refresh(self._file)
        return self._fixed + self._read

    def _refresh(self, file: Path) -> None:
        try:
            stamp = _stamp(file)
            if stamp != self._stamp:
                self._stamp, self._read = stamp, _load(file)
                log.info("the tokens were read again: %d", len(self._read))
        except (RequestError, OSError) as exc:
            if self._stamp:
                log.error("the tokens of before stay: %s", exc)  # noqa: TRY400 - the text says it all
            self._stamp = ()


def _stamp(file: Path) -> tuple[int, ...]:
    try:
        status = file.stat()
    except OSError as exc:
        raise RequestError(f"cannot read the tokens in {file.name}: {os.strerror(exc.errno or 0)}") from exc
    return status.st_mtime_ns, status.st_size, status.st_ino


def _load(file: Path) -> tuple[Known, ...]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as exc:
        raise RequestError(f"cannot read the tokens in {file.name}: {exc}") from exc
    return parse_tokens([text for line in lines if (text := line.partition("#")[0].strip())], file.name)
