"""Identifies processes, so that containers of dead processes can be told from containers in use."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
from functools import cache
from pathlib import Path


def identity() -> str:
    """Return a text for this process, ``machine:pid:start``, which no other process ever has.

    Callers may append a ``#`` and a text that distinguishes users within the process.
    """
    return f"{machine()}:{os.getpid()}:{_start_time(os.getpid())}"


def is_dead(owner: str) -> bool:
    """Return whether a process has certainly ended; ``False`` for one of another machine, which cannot be checked."""
    owner_machine, _, rest = owner.partition(":")
    pid, _, start = rest.partition("#")[0].partition(":")
    return owner_machine == machine() and pid.isdigit() and _start_time(int(pid)) != start


@cache
def machine() -> str:
    """Return a short name for this machine, or for the container we are in, because pids are valid only there."""
    try:
        namespace = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        namespace = ""
    return hashlib.sha256(f"{platform.node()} {namespace}".encode()).hexdigest()[:12]


def _start_time(pid: int) -> str:
    """Return the start time of a process in the system's unit; empty if there is no such process, or only a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return "" if Path("/proc/self").exists() else _start_time_by_ps(pid)
    except (OSError, ValueError):
        return ""
    return "" if fields[0] in {"Z", "X"} else fields[19]


def _start_time_by_ps(pid: int) -> str:
    answer = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)  # noqa: S603, S607 - a number
    return answer.stdout.strip().replace(" ", "_").replace(":", ".")
