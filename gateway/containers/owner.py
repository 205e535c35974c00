"""Who started a container, so that what a dead process left behind can be told from what is in use."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
from functools import cache
from pathlib import Path


def identity() -> str:
    """Return this process as ``machine:pid:start``; no other process ever has the same.

    Something of its own within the process may follow after a ``#``.
    """
    return f"{machine()}:{os.getpid()}:{_start(os.getpid())}"


def is_dead(who: str) -> bool:
    """Whether the process has certainly ended; ``False`` for one of another machine, which cannot be seen."""
    where, _, rest = who.partition(":")
    pid, _, start = rest.partition("#")[0].partition(":")
    return where == machine() and pid.isdigit() and _start(int(pid)) != start


@cache
def machine() -> str:
    """Return a short name for this machine, and for this container if we are in one: pids mean nothing elsewhere."""
    try:
        namespace = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        namespace = ""
    return hashlib.sha256(f"{platform.node()} {namespace}".encode()).hexdigest()[:12]


def _start(pid: int) -> str:
    """Return when a process started, in the system's own unit; empty if there is none, or only a zombie."""
    try:
        cells = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return "" if Path("/proc/self").exists() else _start_by_ps(pid)
    except (OSError, ValueError):
        return ""
    return "" if cells[0] in {"Z", "X"} else cells[19]


def _start_by_ps(pid: int) -> str:
    answer = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)  # noqa: S603, S607 - a number
    return answer.stdout.strip().replace(" ", "_").replace(":", ".")
