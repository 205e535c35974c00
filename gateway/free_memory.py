"""How much memory this machine, or the container around this process, still has free."""

from __future__ import annotations

import contextlib
import resource
import sys
from functools import cache
from pathlib import Path
from typing import NamedTuple

from gateway.resources import machine_memory_bytes

_PROC = Path("/proc")
_CGROUPS = Path("/sys/fs/cgroup")


class ControlGroup(NamedTuple):
    """The files with which a control group of Linux says how much memory its processes may use, and do use.

    Args:
        limit: the file with the limit in bytes, or a word where there is none.
        usage: the file with the bytes in use, cached files included.
        statistics: the file that says how many of these bytes are cached files.
        cached: the name of that number.
    """

    limit: Path
    usage: Path
    statistics: Path
    cached: str

    def free_bytes(self) -> int:
        """Return how many bytes are free below the limit; where there is no limit, more than any machine has."""
        limit, usage = _text_of(self.limit).strip(), _text_of(self.usage).strip()
        if not (limit.isdigit() and usage.isdigit()) or int(limit) >= machine_memory_bytes():
            return sys.maxsize
        # Files that were read once count as used, and the kernel gives their memory back as soon as somebody needs it.
        return int(limit) - int(usage) + _field(_text_of(self.statistics), self.cached)


def free_bytes() -> int:
    """Return how many bytes can still be allocated: the least of what the machine and the containers have free."""
    return max(min([_machine(), *(group.free_bytes() for group in control_groups())]), 0)


def resident_bytes(pid: int) -> int | None:
    """Return how much memory a process holds; ``None`` where the system does not say, or the process has ended."""
    fields = _text_of(_PROC / str(pid) / "statm").split()
    return int(fields[1]) * resource.getpagesize() if len(fields) > 1 else None


def lower_ceiling(more: int) -> int | None:
    """Let allocations fail that would take this process more than so many bytes beyond what it holds now.

    Returns:
        The limit that there was, for :func:`restore_ceiling`; ``None`` if it stays, as it is lower or nobody knows.
    """
    held = data_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    ceiling = held + more
    if held and all(limit == resource.RLIM_INFINITY or ceiling < limit for limit in (soft, hard)):
        resource.setrlimit(resource.RLIMIT_DATA, (ceiling, hard))
        return soft
    return None


def restore_ceiling(soft: int | None) -> None:
    """Set the limit again that :func:`lower_ceiling` has returned."""
    if soft is not None:
        with contextlib.suppress(ValueError):  # what ran meanwhile has lowered the limit for good
            resource.setrlimit(resource.RLIMIT_DATA, (soft, resource.getrlimit(resource.RLIMIT_DATA)[1]))


def data_bytes() -> int:
    """Return the bytes of data that this process holds, as the kernel counts them against ``RLIMIT_DATA``."""
    return _field(_text_of(_PROC / "self/status"), "VmData:") * 1024


@cache
def control_groups() -> tuple[ControlGroup, ...]:
    """Return the control groups that limit the memory of this process: its own and those around it.

    They are looked up once: a limit that is set later on a group that had none is not seen.
    """
    groups: list[ControlGroup] = []
    for line in _text_of(_PROC / "self/cgroup").splitlines() or ["0::/"]:
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if not controllers:  # version 2
            names = ("memory.max", "memory.current", "memory.stat", "inactive_file")
            groups += _groups_above(_CGROUPS, path, names)
        elif "memory" in controllers.split(","):
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "memory.stat", "total_inactive_file")
            groups += _groups_above(_CGROUPS / "memory", path, names)
    return tuple([group for group in groups if group.free_bytes() < sys.maxsize])


def _groups_above(root: Path, path: str, names: tuple[str, str, str, str]) -> list[ControlGroup]:
    """Return the groups from the one at the path up to the root; in a container the path may lead nowhere."""
    own = root / path.strip("/")
    folders = [own, *own.parents] if ".." not in own.parts else [root]
    limit, usage, statistics, cached = names
    return [
        ControlGroup(folder / limit, folder / usage, folder / statistics, cached)
        for folder in folders
        if folder.is_relative_to(root) and (folder / limit).exists()
    ]


def _machine() -> int:
    meminfo = _text_of(_PROC / "meminfo")
    return _field(meminfo, "MemAvailable:") * 1024 if "MemAvailable:" in meminfo else machine_memory_bytes()


def _field(text: str, name: str) -> int:
    """Return the number that follows a name at the beginning of a line; 0 where there is none."""
    for line in text.splitlines():
        if line.startswith(name):
            words = line.removeprefix(name).split()
            return int(words[0]) if words and words[0].isdigit() else 0
    return 0


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
