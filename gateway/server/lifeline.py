"""Notices the end of the program that has started a server for itself, however that program ends."""

from __future__ import annotations

import contextlib
import os
import select
import time
from pathlib import Path

_LOOK_EVERY_S = 0.5


class Lifeline:
    """What ties a server to the program that has started it.

    A process that was forked from the program may hold the pipe open after the program's end, so the program itself is
    watched as well.

    Args:
        fd: a pipe, whose other end the program closes when it needs the server no more.
        pid: the program's process; ``None`` if only the pipe is there.
    """

    def __init__(self, fd: int, pid: int | None) -> None:
        self._fd = fd
        self._pid = pid
        self._began = None if pid is None else _start_of(pid)
        self._process = None if pid is None else _descriptor(pid)

    def wait(self) -> None:
        """Wait until the pipe is closed, or the program has ended."""
        waiting = select.poll()
        waiting.register(self._fd, select.POLLIN)
        if self._process is not None:
            waiting.register(self._process, select.POLLIN)
        looks = self._process is None and self._pid is not None
        while not self._has_ended() and not waiting.poll(_LOOK_EVERY_S * 1000 if looks else None):
            pass

    def has_ended(self, within_s: float) -> bool:
        """Wait for the end of the program, and return whether it has come in time."""
        deadline = time.monotonic() + within_s
        while not self._has_ended():
            if time.monotonic() > deadline:
                return False
            time.sleep(_LOOK_EVERY_S / 5)
        return True

    def _has_ended(self) -> bool:
        if self._pid is None:
            return False
        return not _exists(self._pid) if self._began is None else _start_of(self._pid) != self._began


def _descriptor(pid: int) -> int | None:
    """Return a descriptor that becomes readable with the end of a process; ``None`` where there is none."""
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):  # not Linux, an old one, or the process has ended
        return None


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _start_of(pid: int) -> bytes | None:
    """Return when a process began, in a form of the system's; ``None`` where it has ended, or that is not known."""
    with contextlib.suppress(OSError, IndexError):
        words = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        return None if words[0] == b"Z" else words[19]
    return None
