"""Memory of worker processes: sets a ceiling for each, and notices when the kernel kills one because memory ran out."""

from __future__ import annotations

import contextlib
import resource
from pathlib import Path

_EVENTS = (
    # (file, field): cgroup version 2, version 1, the whole machine
    ("/sys/fs/cgroup/memory.events", "oom_kill"),
    ("/sys/fs/cgroup/memory/memory.oom_control", "oom_kill"),
    ("/proc/vmstat", "oom_kill"),
)


class KillsForMemory:
    """Notices that the kernel has killed a process because memory ran out."""

    def __init__(self) -> None:
        self._kills = _kills()

    def happened(self) -> bool:
        """Return whether the kernel has killed a process since the last call."""
        before, self._kills = self._kills, _kills()
        return self._kills > before


def _kills() -> int:
    """Return how many processes the kernel has killed so far because memory ran out; 0 where it does not say."""
    for path, field in _EVENTS:
        with contextlib.suppress(OSError, ValueError):
            for line in Path(path).read_text(encoding="ascii").splitlines():
                name, _, count = line.partition(" ")
                if name == field:
                    return int(count)
    return 0


class PeakMemory:
    """The largest resident memory of this process since a moment, at a cost of some 20 microseconds."""

    def __init__(self) -> None:
        self._is_known = False

    def begin(self) -> None:
        """Count from now on."""
        try:
            Path("/proc/self/clear_refs").write_bytes(b"5")  # resets the peak, and clears nothing else
            self._is_known = True
        except OSError:  # another system, or a container without /proc
            self._is_known = False

    def value(self) -> int | None:
        """Return the peak in bytes; ``None`` where the system cannot count from a moment on."""
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 if self._is_known else None


def offer_to_the_killer() -> None:
    """Ask the kernel to take this process first when memory runs out, so that the server lives."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def set_ceiling(memory_bytes: int | None, run_bytes: int | None = None) -> None:
    """Let allocations beyond a ceiling fail in this process.

    Args:
        memory_bytes: how much the process may hold; ``None`` sets no such ceiling.
        run_bytes: how much the process may hold beyond what it holds now; ``None`` sets no such ceiling.
    """
    ceilings = [] if memory_bytes is None else [memory_bytes]
    if run_bytes is not None:
        ceilings.append(_held_bytes() + run_bytes)
    if ceilings:
        resource.setrlimit(resource.RLIMIT_DATA, (min(ceilings), min(ceilings)))


def _held_bytes() -> int:
    """Return the bytes of data that this process holds, as the kernel counts them against the ceiling."""
    for line in Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith("VmData:"):
            return int(line.split()[1]) * 1024
    return 0
