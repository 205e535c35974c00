"""Functions to serve that start processes and leave them behind, or answer more than once."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gateway.circuit import Circuit

KINDS = ("child", "child of C", "daemon", "program")


@dataclass(frozen=True)
class Starting:
    """For the seed 0, starts processes of every kind, writes their ids into a folder, and then does something.

    Args:
        folder: has a file for each process, with its id.
        then: ``sleep``, ``crash``, ``exit`` or ``return``.
    """

    folder: Path
    then: str

    def __call__(self, circuit: Circuit, shots: int, seed: int | None = None) -> dict[str, int]:
        """Start them, or echo the seed."""
        if seed == 0:
            if os.fork() == 0:
                self._stay("child")
            if ctypes.CDLL(None).fork() == 0:
                self._stay("child of C")
            self._start_daemon()
            self._note("program", subprocess.Popen(["sleep", "600"], start_new_session=True).pid)
            while len(self.started()) < len(KINDS):
                time.sleep(0.01)
            _AFTERWARDS[self.then]()
        return {format(seed or 0, f"0{circuit.num_clbits}b"): shots}

    def started(self) -> set[int]:
        """Return the ids of what was started."""
        return {int((self.folder / kind).read_text()) for kind in KINDS if (self.folder / kind).exists()}

    def _start_daemon(self) -> None:
        """Start a process in a session of its own whose parent ends."""
        parent = os.fork()
        if parent == 0:
            os.setsid()
            if os.fork() == 0:
                self._stay("daemon")
            os._exit(0)
        os.waitpid(parent, 0)

    def _stay(self, kind: str) -> None:
        for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD}:
            signal.signal(number, signal.SIG_IGN)
        self._note(kind, os.getpid())
        time.sleep(600)
        os._exit(0)

    def _note(self, kind: str, pid: int) -> None:
        new = self.folder / f"new {kind}"
        new.write_text(str(pid))
        new.rename(self.folder / kind)


_AFTERWARDS: dict[str, Callable[[], object]] = {
    "sleep": lambda: time.sleep(600),
    "crash": os.abort,
    "exit": lambda: os._exit(3),
    "return": lambda: None,
}

FORKS, FORKS_IN_C, WRITES, CLOSES, UNIMPORTS, FORGETS_PATHS, LOWERS_LIMIT = 1, 2, 7, 8, 9, 10, 11
"""The seeds for which :func:`answering_twice` misbehaves."""


def answering_twice(circuit: Circuit, shots: int, seed: int | None = None) -> dict[str, int]:
    """Echo the seed; for some seeds, return in two processes, or handle what belongs to others."""
    if seed in {FORKS, FORKS_IN_C} and (os.fork() if seed == FORKS else ctypes.CDLL(None).fork()) == 0:
        time.sleep(0.1)
    if seed == WRITES:
        for fd in range(3, 32):
            with contextlib.suppress(OSError):
                os.write(fd, b"A" * 8)
    if seed == CLOSES:
        os.closerange(3, 64)
    if seed == UNIMPORTS:
        sys.modules.clear()
    if seed == FORGETS_PATHS:
        sys.path.clear()
    if seed == LOWERS_LIMIT:
        resource.setrlimit(resource.RLIMIT_DATA, (2**30, 2**30))
    return {format(seed or 0, f"0{circuit.num_clbits}b"): shots}
