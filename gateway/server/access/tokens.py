"""Knows the tokens that a server lets in, by their digests alone: named, and exchanged without a restart."""

from __future__ import annotations

import hashlib
import hmac
import logging
import math
import re
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from gateway.errors import RequestError
from gateway.rights import USUAL_RIGHTS, Right, parse_rights
from gateway.server.access.trusted_file import Stamp, read_trusted, stamp_of

_ENTRY = re.compile(
    r"(?:(?P<name>[\w.@-]{1,64})\s*[\s:=]\s*)?(?:sha256:)?(?P<digest>[0-9a-fA-F]{64})(?:\s+(?P<rights>\S.*))?"
)

_READ_EVERY_S = 1.0

log = logging.getLogger("gateway")


class TokenDigest(NamedTuple):
    """A token that is let in: the name of its holder, its SHA-256 in hex, and its rights."""

    name: str
    digest: str
    rights: frozenset[Right] = USUAL_RIGHTS


def parse_token(entry: str, place: str) -> TokenDigest:
    """Read an entry ``NAME sha256:HEX run,compare``; a digest alone is named by its first eight digits.

    Raises:
        RequestError: the entry at this place has another form, or there is no such right. The message does not quote
            it, for it may have the token itself.
    """
    match = _ENTRY.fullmatch(entry.strip())
    if match is None:
        raise RequestError(
            f"{place}: a token is written as NAME sha256:HEX, then its rights unless they are the usual; "
            "'gateway token NAME' makes one"
        )
    digest, rights = match["digest"].lower(), match["rights"]
    try:
        return TokenDigest(match["name"] or digest[:8], digest, parse_rights(rights) if rights else USUAL_RIGHTS)
    except RequestError as exc:
        raise RequestError(f"{place}: the rights of a token are {', '.join(Right)}, separated by commas") from exc


def parse_tokens(entries: Sequence[str], where: str) -> tuple[TokenDigest, ...]:
    """Read entries as :func:`parse_token` does.

    Raises:
        RequestError: an entry has another form.
    """
    return tuple(parse_token(entry, f"{where}, entry {number}") for number, entry in enumerate(entries, 1))


def tokens_of(digests: Sequence[str], file: Path | None) -> Tokens:
    """Return the tokens that settings name.

    Raises:
        RequestError: a digest or a line of the file is malformed, or the file cannot be read.
    """
    return Tokens(parse_tokens(digests, "the setting 'tokens' (or GATEWAY_TOKEN_SHA256)"), file)


class Tokens:
    """Knows who holds which token.

    A change of the file holds from the next request on. The system's own stamp of the file tells of it, and because
    two changes within one tick of the clock have the same stamp, the file is also read again once a second. While the
    file cannot be read or trusted, the tokens that were read last stay valid; that is logged once.

    Args:
        fixed: tokens that do not change while the server runs.
        file: a file of further tokens, one a line; ``#`` begins a comment.

    Raises:
        RequestError: the file cannot be read, has a line of another form, or can be written by other users.
    """

    def __init__(self, fixed: Sequence[TokenDigest] = (), file: Path | None = None) -> None:
        self._fixed = tuple(fixed)
        self._file = file
        self._reading = threading.Lock()
        self._stamp: Stamp | None = None
        self._read_at = -math.inf
        self._complaint = ""
        self._from_file = () if file is None else self._load(file)

    def __bool__(self) -> bool:
        """Whether the server demands tokens; with a file it does, even if the file is empty."""
        return bool(self._fixed) or self._file is not None

    def find(self, token: str) -> TokenDigest | None:
        """Return the entry of a token, ``None`` if there is no such token; the comparison takes constant time."""
        digest = hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()
        matches = [entry for entry in self._all() if hmac.compare_digest(entry.digest, digest)]
        return matches[0] if matches else None

    def _all(self) -> tuple[TokenDigest, ...]:
        if self._file is not None and self._reading.acquire(blocking=False):  # nobody waits for another's reading
            try:
                self._refresh(self._file)
            finally:
                self._reading.release()
        return self._fixed + self._from_file

    def _refresh(self, file: Path) -> None:
        try:
            stamp = stamp_of(file)
            if stamp == self._stamp and time.monotonic() < self._read_at + _READ_EVERY_S:
                return
            self._stamp = stamp  # of a file that is refused, too: it is not read for every request
            tokens = self._load(file)
        except RequestError as exc:
            if exc.message != self._complaint:
                log.error("the tokens read before stay valid: %s", exc)  # noqa: TRY400 - the text says it all
            self._complaint = exc.message
            return
        if tokens != self._from_file or self._complaint:
            log.info("the tokens were read again: %d", len(tokens))
        self._from_file, self._complaint = tokens, ""

    def _load(self, file: Path) -> tuple[TokenDigest, ...]:
        self._read_at = time.monotonic()
        self._stamp, content = read_trusted(file)
        try:
            lines = content.decode("utf-8").splitlines()
        except UnicodeDecodeError as exc:
            raise RequestError(f"cannot read the tokens in {file.name}: {exc}") from exc
        return tuple(
            parse_token(text, f"{file.name}, line {number}")
            for number, line in enumerate(lines, 1)
            if (text := line.partition("#")[0].strip())
        )
