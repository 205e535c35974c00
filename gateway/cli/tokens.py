"""The command ``gateway token``, which makes a token and adds its digest to a file for servers."""

from __future__ import annotations

import argparse
import errno
import hashlib
import os
import re
import secrets
import sys

from gateway.errors import RequestError
from gateway.rights import USUAL_RIGHTS, parse_rights, write_rights


def make(arguments: argparse.Namespace) -> int:
    """Print a new token; only its digest is stored."""
    if not re.fullmatch(r"[\w.@-]{1,64}", arguments.name):
        raise RequestError(f"a name has 1 to 64 letters, digits and _.@-, not {arguments.name!r}", field="name")
    rights = parse_rights(arguments.rights)
    token = secrets.token_urlsafe(32)
    line = f"{arguments.name} sha256:{hashlib.sha256(token.encode()).hexdigest()}"
    if rights != USUAL_RIGHTS:
        line += f" {write_rights(rights)}"
    if arguments.file is None:
        print(f"gateway: the line for the file that --tokens takes:\n{line}", file=sys.stderr)
    else:
        _append(arguments.file, line)
    print(token)
    return 0


def _append(path: str, line: str) -> None:
    """Add a line to a file that only its owner can read; if the disk is full, the file stays as it was."""
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        size = os.fstat(descriptor).st_size
        separator = "\n" if size and os.pread(descriptor, 1, size - 1) != b"\n" else ""
        content = f"{separator}{line}\n".encode()
        try:
            is_complete = os.write(descriptor, content) == len(content)
        except OSError as exc:
            raise OSError(exc.errno, exc.strerror, path) from exc
        if not is_complete:
            os.ftruncate(descriptor, size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)
    finally:
        os.close(descriptor)
