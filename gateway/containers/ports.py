"""Finds out which process listens on a port of this machine, as far as this user may see it."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

_LISTEN = "0A"
_STATE, _LOCAL, _INODE = 3, 1, 9


def free(port: int, host: str = "127.0.0.1") -> bool:
    """Return whether nobody listens on a port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def holder(port: int) -> str | None:
    """Return the process that listens on a port, as ``"python3 (process 4711)"``.

    The result is ``None`` if nobody listens, if the process belongs to another user, or if the system has no
    ``/proc``.
    """
    socket_links = {f"socket:[{inode}]" for inode in _inodes(port)}
    if not socket_links:
        return None
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # the process has ended, or belongs to another user
            if any(link in socket_links for link in _open_files(process)):
                return f"{(process / 'comm').read_text().strip()} (process {process.name})"
    return None


def _open_files(process: Path) -> Iterator[str]:
    for descriptor in (process / "fd").iterdir():
        with contextlib.suppress(OSError):  # the file was closed after it was listed, as that of the listing is
            yield str(descriptor.readlink())


def _inodes(port: int) -> Iterator[str]:
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[_STATE] == _LISTEN and int(fields[_LOCAL].rpartition(":")[2], 16) == port:
                yield fields[_INODE]
