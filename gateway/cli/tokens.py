"""``gateway token``: make a token, and tell a server's file its digest."""

from __future__ import annotations

import argparse
import errno
import hashlib
import os
import re
import secrets
import sys

from gateway.errors import RequestError


def make(arguments: argparse.Namespace) -> int:
    """Print a new token, once; what is kept of it is its digest."""
    if not re.fullmatch(r"[\w.@-]{1,64}", arguments.name):
        raise RequestError(f"a name has 1 to 64 letters, digits and _.@-, not {arguments.name!r}", field="name")
    token = secrets.token_urlsafe(32)
    line = f"{arguments.name} sha256:{hashlib.sha256(token.encode()).hexdigest()}"
    if arguments.file is None:
        print(f"gateway: the line for the file that --tokens takes:\n{line}", file=sys.stderr)
    else:
        _append(arguments.file, line)
    print(token)
    return 0


def _append(path: str, line: str) -> None:
    """Add a line to a file of the owner's; a line that does not fit on the disk leaves the file as it was."""
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        size = os.fstat(descriptor).st_size
        apart = "\n" if size and os.pread(descriptor, 1, size - 1) != b"\n" else ""
        content = f"{apart}{line}\n".encode()
        try:
            is_complete = os.write(descriptor, content) == len(content)
        except OSError as exc:
            raise OSError(exc.errno, exc.strerror, path) from exc
        if not is_complete:
            os.ftruncate(descriptor, size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)
    finally:
        os.close(descriptor)
