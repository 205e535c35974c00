"""Counts what the servers hold: memory of each kind of process while it lasts, and what is left at the end."""

from __future__ import annotations

import contextlib
import http.client
import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from siege.besieged import Besieged

from gateway.free_memory import resident_bytes

EVERY_S = 0.5
PROBE_TIMEOUT_S = 20.0


class Watch:
    """Looks at the servers twice a second.

    Attributes:
        peaks: server and kind of process -> the most resident memory that one of them had, in bytes.
        probes: the seconds that each ``/healthz`` took, on a connection of its own.
    """

    def __init__(self, servers: list[Besieged]) -> None:
        self._servers = servers
        self._over = threading.Event()
        self.peaks: defaultdict[tuple[str, str], int] = defaultdict(int)
        self.probes: list[float] = []
        self.failed_probes: list[str] = []

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Look for as long as the block lasts."""
        loops = [self._look, *[partial(self._probe, server) for server in self._servers]]
        threads = [threading.Thread(target=self._repeat, args=(loop,), daemon=True) for loop in loops]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._over.set()
            for thread in threads:
                thread.join(2 * PROBE_TIMEOUT_S)

    def _repeat(self, does: Callable[[], None]) -> None:
        while not self._over.wait(EVERY_S):
            does()

    def _look(self) -> None:
        for server in self._servers:
            for kind, pids in server.by_kind().items():
                for pid in pids:
                    key = server.name, kind
                    self.peaks[key] = max(self.peaks[key], resident_bytes(pid) or 0)

    def _probe(self, server: Besieged) -> None:
        began = time.monotonic()
        try:
            connection = http.client.HTTPConnection(server.host, server.port, timeout=PROBE_TIMEOUT_S)
            with contextlib.closing(connection):
                connection.request("GET", "/healthz", headers={"Connection": "close"})
                status = connection.getresponse().status
            if status != 200:
                self.failed_probes.append(f"{server.name}: status {status}")
        except (OSError, http.client.HTTPException) as exc:
            self.failed_probes.append(f"{server.name}: {exc!r}")
        self.probes.append(time.monotonic() - began)


@dataclass(frozen=True)
class Holdings:
    """What a server holds at one moment."""

    http_process: int
    memory: int
    threads: int
    descriptors: int
    of_the_database: int
    processes: dict[str, int]
    temporary: int

    @classmethod
    def of(cls, server: Besieged) -> Holdings:
        """Count what a server holds; its HTTP process has the threads and the descriptors.

        Those of the file of jobs are counted apart: SQLite keeps them for use again while the file is open at all.
        """
        kinds = server.by_kind()
        (http_process,) = kinds["HTTP"]
        proc = Path(f"/proc/{http_process}")
        opened = list(_opened(proc / "fd"))
        of_the_database = sum(path.startswith(str(server.jobs)) for path in opened)
        return cls(
            http_process,
            resident_bytes(http_process) or 0,
            len(list((proc / "task").iterdir())),
            len(opened) - of_the_database,
            of_the_database,
            {kind: len(pids) for kind, pids in kinds.items()},
            sum(len(files) for _, _, files in os.walk(server.temporary)),
        )


def _opened(descriptors: Path) -> Iterator[str]:
    """Yield what each descriptor of a process stands for."""
    for descriptor in descriptors.iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            yield str(descriptor.readlink())


def processor_seconds(pid: int) -> float:
    """Return the processor time that a process has used, 0 if it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
