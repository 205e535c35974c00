"""Memory of worker processes: sets a ceiling for each, and notices when the kernel kills one because memory ran out."""

from __future__ import annotations

import contextlib
import os
import re
import resource
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from gateway.free_memory import data_bytes, free_bytes, lower_ceiling, restore_ceiling

_EVENTS = (
    # cgroup version 2, version 1, the whole machine
    Path("/sys/fs/cgroup/memory.events"),
    Path("/sys/fs/cgroup/memory/memory.oom_control"),
    Path("/proc/vmstat"),
)
_FIELD = "oom_kill"
_KERNEL_LOG = Path("/dev/kmsg")
_FIRST_NAMESPACE = "pid:[4026531836]"
"""The namespace of processes that Linux starts with: in it, a process has the number that the kernel's log calls it."""

_KILLED = re.compile(rb"Killed process (\d+) ")
_READ_AGAIN_S = 1.0
_KERNEL_LOG_BYTES = 2**13


class KillsForMemory:
    """Says whether the kernel killed a worker because memory ran out.

    Where the kernel's log can be read, it names the processes. Elsewhere there are only counters, of the container or
    of the whole machine: a kill during the run that no other worker's end accounts for is then taken for the worker's,
    which is likely and not certain.

    Args:
        events: the files with counters of kills; the first one that has the counter is read.
        log: the kernel's log.
    """

    def __init__(self, events: Sequence[Path] = _EVENTS, log: Path | None = _KERNEL_LOG) -> None:
        self._events = events
        self._log = log if log is not None and _numbers_are_the_kernels() else None
        self._lock = threading.Lock()
        self._accounted = 0
        self._known = self._kills()
        self._read_at = time.monotonic()

    def note(self) -> Note:
        """Return what is known when a run begins; the counters are read once a second at most."""
        with self._lock:
            if time.monotonic() - self._read_at > _READ_AGAIN_S:
                self._known, self._read_at = self._kills(), time.monotonic()
            return Note(self._known, self._read_at)

    def accounts_for(self, pid: int | None, before: Note) -> bool | None:
        """Return whether a process that was killed was killed for memory; ``None`` where that is likely, not certain.

        Args:
            pid: the process.
            before: what :meth:`note` returned when its run began.
        """
        named = self._named(since=before.at)
        if named and pid is not None:
            return pid in named
        with self._lock:
            kills = self._kills()
            # Ends that were accounted for before the run began cannot explain the kills since.
            self._accounted = max(self._accounted, before.kills)
            if kills <= self._accounted:
                return False
            self._accounted += 1
            return None

    def _kills(self) -> int:
        """Return how many processes the kernel has killed so far because memory ran out; 0 where it does not say."""
        for path in self._events:
            with contextlib.suppress(OSError, ValueError):
                for line in path.read_text(encoding="ascii").splitlines():
                    name, _, count = line.partition(" ")
                    if name == _FIELD:
                        return int(count)
        return 0

    def _named(self, since: float) -> set[int]:
        """Return the processes that the kernel's log says were killed for memory since a moment."""
        named: set[int] = set()
        if self._log is None:
            return named
        with contextlib.suppress(OSError):
            fd = os.open(self._log, os.O_RDONLY | os.O_NONBLOCK)
            try:
                while record := _next_record(fd):
                    named.update(_killed_in(record, since))
            finally:
                os.close(fd)
        return named


class Note(NamedTuple):
    """How many kills there were at a moment on the monotonic clock."""

    kills: int
    at: float


def _killed_in(record: bytes, since: float) -> list[int]:
    """Return the processes that a record of the kernel's log, ``priority,number,microseconds,...;text``, names."""
    head, _, text = record.partition(b";")
    fields = head.split(b",")
    happened = next((int(field) / 1e6 for field in fields[2:3] if field.isdigit()), 0.0)
    return [int(number) for number in _KILLED.findall(text)] if happened >= since else []


def _next_record(fd: int) -> bytes:
    """Return the next record of the kernel's log, of which each read gives one; empty at its end."""
    while True:
        try:
            return os.read(fd, _KERNEL_LOG_BYTES)
        except BlockingIOError:
            return b""
        except BrokenPipeError:  # records were overwritten meanwhile: the next read goes on with the oldest
            continue


def _numbers_are_the_kernels() -> bool:
    try:
        return str(Path("/proc/self/ns/pid").readlink()) == _FIRST_NAMESPACE
    except OSError:
        return False


class PeakMemory:
    """The largest resident memory of this process since a moment, at a cost of some 20 microseconds."""

    def __init__(self) -> None:
        self._is_known = False

    def begin(self) -> None:
        """Count from now on."""
        try:
            fd = os.open("/proc/self/clear_refs", os.O_WRONLY)
            try:
                os.write(fd, b"5")  # resets the peak, and clears nothing else
            finally:
                os.close(fd)
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
        ceilings.append(data_bytes() + run_bytes)
    if ceilings:
        resource.setrlimit(resource.RLIMIT_DATA, (min(ceilings), min(ceilings)))


_SLACK = 128 * 2**20
"""What a function may hold beyond what is free: the kernel counts the stacks of threads, which are hardly used."""


@contextlib.contextmanager
def ceiling_of_free_memory() -> Iterator[None]:
    """Let allocations fail that exceed what the machine has free now, for as long as the block lasts."""
    soft = lower_ceiling(free_bytes() + _SLACK)
    try:
        yield
    finally:
        restore_ceiling(soft)
