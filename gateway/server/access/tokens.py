"""Knows the tokens that a server lets in, by their digests alone: named, and exchanged without a restart."""

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


class TokenDigest(NamedTuple):
    """A token that is let in: the name of its holder, and its SHA-256 in hex."""

    name: str
    digest: str


def parse_tokens(entries: Sequence[str], where: str) -> tuple[TokenDigest, ...]:
    """Read entries of the form ``NAME sha256:HEX``; a digest alone is named by its first eight digits.

    Raises:
        RequestError: an entry has another form. The message does not quote it, for it may be the token itself.
    """
    tokens = []
    for number, entry in enumerate(entries, 1):
        match = _ENTRY.fullmatch(entry.strip())
        if match is None:
            raise RequestError(
                f"{where}, entry {number}: a token is written as NAME sha256:HEX; 'gateway token NAME' makes one"
            )
        digest = match["digest"].lower()
        tokens.append(TokenDigest(match["name"] or digest[:8], digest))
    return tuple(tokens)


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
        file: a file of further tokens, one a line; ``#`` begins a comment. The file is read again when it
            changes. While it cannot be read, the tokens that were read last stay valid.

    Raises:
        RequestError: the file cannot be read, or has a line of another form.
    """

    def __init__(self, fixed: Sequence[TokenDigest] = (), file: Path | None = None) -> None:
        self._fixed = tuple(fixed)
        self._file = file
        self._lock = threading.Lock()
        self._stamp: tuple[int, ...] = ()
        self._from_file: tuple[TokenDigest, ...] = ()
        if file is not None:
            self._stamp, self._from_file = _stamp(file), _load(file)

    def __bool__(self) -> bool:
        """Whether the server demands tokens; with a file it does, even if the file is empty."""
        return bool(self._fixed) or self._file is not None

    def holder(self, token: str) -> str | None:
        """Return the holder of a token, ``None`` if there is no such token; the comparison takes constant time."""
        digest = hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()
        matches = [entry.name for entry in self._all() if hmac.compare_digest(entry.digest, digest)]
        return matches[0] if matches else None

    def _all(self) -> tuple[TokenDigest, ...]:
        if self._file is not None:
            with self._lock:
                self._refresh(self._file)
        return self._fixed + self._from_file

    def _refresh(self, file: Path) -> None:
        try:
            stamp = _stamp(file)
            if stamp != self._stamp:
                self._stamp, self._from_file = stamp, _load(file)
                log.info("the tokens were read again: %d", len(self._from_file))
        except (RequestError, OSError) as exc:
            if self._stamp:
                log.error("the tokens read before stay valid: %s", exc)  # noqa: TRY400 - the text says it all
            self._stamp = ()


def _stamp(file: Path) -> tuple[int, ...]:
    try:
        status = file.stat()
    except OSError as exc:
        raise RequestError(f"cannot read the tokens in {file.name}: {os.strerror(exc.errno or 0)}") from exc
    return status.st_mtime_ns, status.st_size, status.st_ino


def _load(file: Path) -> tuple[TokenDigest, ...]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as exc:
        raise RequestError(f"cannot read the tokens in {file.name}: {exc}") from exc
    return parse_tokens([text for line in lines if (text := line.partition("#")[0].strip())], file.name)
