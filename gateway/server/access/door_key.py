"""The door's key: the secret by which a simulator's server knows the gateway's own service, which asks for others.

The door makes the key and keeps it in a file that simulators' servers read. A request with it is the door's; whom the
door asks for stands in the header ``Gateway-Caller``, percent-encoded as in URLs.
"""

from __future__ import annotations

import contextlib
import hmac
import logging
import math
import os
import re
import secrets
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import quote, unquote

from gateway.errors import RequestError
from gateway.server.access.trusted_file import Stamp, read_trusted, stamp_of

CALLER_HEADER = "Gateway-Caller"
"""The header with the name of the caller for whom the door asks."""

_KEY = re.compile(r"[\w-]{43,128}", re.ASCII)
_CALLER = re.compile(r"[\w.@:%\[\]-]{1,128}")
_READ_EVERY_S = 1.0
_WHAT = "the door's key"

log = logging.getLogger("gateway")


def ensure_door_key(file: Path) -> str:
    """Return the key in a file, which is made first if there is none; several doors at once get the same key.

    Raises:
        RequestError: the file cannot be written or read, others can read it, or it holds something else.
    """
    try:
        if not file.exists():
            _make(file)
    except OSError as exc:
        raise RequestError(f"cannot write {_WHAT} to {file}: {exc.strerror}") from exc
    return _read(file)[1]


def door_headers(key: str, caller: str = "") -> dict[str, str]:
    """Return the headers of a request of the door's.

    Args:
        key: the door's key.
        caller: the name of the token of whoever the door asks for or, where nobody needs one, their address; empty
            for the door itself, which may look and not run.
    """
    headers = {"Authorization": f"Bearer {key}"}
    return headers | {CALLER_HEADER: quote(caller, safe="@:")} if caller else headers


def caller_of(header: str) -> str:
    """Return the name in a header ``Gateway-Caller``.

    Raises:
        RequestError: it is no name.
    """
    name = unquote(header)
    if not _CALLER.fullmatch(name):
        raise RequestError(
            f"{CALLER_HEADER} is the name of a token or an address, percent-encoded, not {header!r:.100}",
            field=CALLER_HEADER,
        )
    return name


class DoorKey:
    """Tells whether a token is the door's key.

    The file is read as that of the tokens is: again when its stamp changes, and once a second. There may be none yet,
    or none any more: then no token is the key. While the file cannot be trusted, none is either; that is logged once.

    Args:
        file: the file that the door writes.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._reading = threading.Lock()
        self._stamp: Stamp | None = None
        self._read_at = -math.inf
        self._complaint = ""
        self._key = b""

    def matches(self, token: str) -> bool:
        """Say whether a token is the key; the comparison takes constant time."""
        if self._reading.acquire(blocking=False):  # nobody waits for another's reading
            try:
                self._refresh()
            finally:
                self._reading.release()
        key = self._key
        return bool(key) and hmac.compare_digest(key, token.encode(errors="surrogatepass"))

    def _refresh(self) -> None:
        try:
            if not self._file.exists():
                self._stamp, self._key, self._complaint = None, b"", ""
                return
            stamp = stamp_of(self._file, _WHAT)
            if stamp == self._stamp and time.monotonic() < self._read_at + _READ_EVERY_S:
                return
            self._stamp, self._read_at = stamp, time.monotonic()
            self._stamp, key = _read(self._file)
        except (RequestError, OSError) as exc:
            if str(exc) != self._complaint:
                log.error("nobody is taken for the door: %s", exc)  # noqa: TRY400 - the text says it all
            self._key, self._complaint = b"", str(exc)
            return
        self._key, self._complaint = key.encode(), ""


def _make(file: Path) -> None:
    """Write a new key, complete and private from its first moment on, unless another door was quicker."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, draft = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)  # its mode is 0600
    try:
        with open(descriptor, "w", encoding="ascii") as opened:  # noqa: PTH123 - of a descriptor
            opened.write(f"{secrets.token_urlsafe(32)}\n")
            opened.flush()
            os.fsync(descriptor)
        with contextlib.suppress(FileExistsError):
            os.link(draft, file)
    finally:
        Path(draft).unlink()


def _read(file: Path) -> tuple[Stamp, str]:
    stamp, content = read_trusted(file, _WHAT, private=True)
    key = content.decode("ascii", errors="replace").strip()
    if not _KEY.fullmatch(key):
        raise RequestError(f"{file} does not hold {_WHAT}: remove it, and the door makes another")
    return stamp, key
