"""A server that tests kill and start again, on the same port and with the same jobs."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import sys
import time
from pathlib import Path
from typing import Any, Self

from support.fake import TARGET
from support.raw import Server, alive, descendants, wait_for_end
from support.waiting import wait_until

from gateway.backends.process import ServerProcess
from gateway.errors import ServerStartError
from gateway.listener import bind


class Supervised(Server):
    """A server with its jobs in a file, on a port that stays the same when it is started again."""

    def __init__(self, jobs: Path, *, target: str = TARGET, **options: Any) -> None:
        with bind("127.0.0.1", 0) as free:
            port = free.getsockname()[1]
        self.jobs = jobs
        super().__init__(ServerProcess(target=target, port=port, jobs=jobs, name="faults", **options))
        self.port = port

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.process.stop()

    def start(self) -> None:
        """Start the server; try again for as long as killed processes hold its port or its jobs."""
        refusals: list[ServerStartError] = []

        def starts() -> bool:
            try:
                self.process.start()
            except ServerStartError as exc:
                refusals.append(exc)
                return False
            return True

        wait_until(starts, lambda: f"a server that starts again; it says: {refusals[-1]}")

    # ------------------------------------------------------------------ its processes

    def http_process(self) -> int:
        """Return the id of the process that takes requests, the only child of gunicorn's arbiter."""

        def only_child() -> set[int]:
            children = _children(self.process.pid or 0)
            return children if len(children) == 1 else set()

        return wait_until(only_child, "the arbiter's only child").pop()

    def simulating(self) -> set[int]:
        """Return the ids of the worker processes that simulate; each has a keeper between it and the fork server."""
        return {
            worker
            for child in _children(self.http_process())
            if b"forkserver" in _command(child)
            for keeper in _children(child)
            for worker in _children(keeper)
        }

    # ------------------------------------------------------------------ killing

    def kill_worker(self) -> bool:
        """Kill a simulating process; say whether there was one."""
        workers = sorted(self.simulating())
        if not workers:
            return False
        _kill(workers[int(time.monotonic() * 1000) % len(workers)])
        return True

    def kill_http(self) -> None:
        """Kill the process that takes requests; the arbiter starts another."""
        _kill(self.http_process())

    def kill_arbiter(self) -> None:
        """Kill the arbiter alone; the other processes notice that they are orphans."""
        _kill(self.process.pid or 0)
        wait_until(lambda: not self.process.running, "the end of the arbiter")

    def kill_all(self) -> None:
        """Kill the arbiter and the HTTP process at once, and wait until no process of the server is left."""
        pids = self.processes()
        http = self.http_process()
        _kill(self.process.pid or 0)
        _kill(http)
        wait_for_end(pids)

    # ------------------------------------------------------------------ its database, read beside it

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows that a query reads from the file of jobs."""
        with contextlib.closing(sqlite3.connect(self.jobs)) as connection:
            return connection.execute(query).fetchall()


def environment() -> dict[str, str]:
    """Return an environment in which a program can import all that this one can."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def _children(pid: int) -> set[int]:
    return {child for child in descendants(pid) if _parent(child) == pid and alive(child)}


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _kill(pid: int) -> None:
    if pid:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
