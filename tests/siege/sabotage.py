"""Kills and stops processes of the servers at random, and locks their databases now and then."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from random import Random

from siege.besieged import WORKERS, Besieged

STOPPED_S = (0.5, 1.5)
"""A process stays stopped for some seconds between these two."""

LOCKED_S = (1.0, 3.0)
EVERY_S = (1.0, 3.0)


class Saboteur:
    """Does harm to servers until it is over.

    Attributes:
        deeds: what was done, how often.
        may_fail: the runs that may have failed by it, at most.
    """

    def __init__(self, servers: list[Besieged], seed: int) -> None:
        self._servers = servers
        self._random = Random(seed)
        self._over = threading.Event()
        self.deeds: Counter[str] = Counter()
        self.may_fail = 0
        self._kinds: dict[Callable[[Besieged], None], int] = {
            self._kill_worker: 8, self._stop_worker: 3, self._kill_fork_server: 1, self._stop_fork_server: 1,
            self._lock_database: 1,
        }  # fmt: skip

    @contextlib.contextmanager
    def at_work(self) -> Iterator[None]:
        """Do harm for as long as the block lasts, each kind at least once if there is time."""
        thread = threading.Thread(target=self._go_on, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join(60)

    def _go_on(self) -> None:
        first = self._random.sample(list(self._kinds), len(self._kinds))
        while not self._over.wait(self._random.uniform(*EVERY_S)):
            kinds = list(self._kinds)
            deed = first.pop() if first else self._random.choices(kinds, list(self._kinds.values()))[0]
            deed(self._random.choice(self._servers))

    def _kill_worker(self, server: Besieged) -> None:
        self._send(server, "worker", signal.SIGKILL)

    def _kill_fork_server(self, server: Besieged) -> None:
        if self._send(server, "fork server", signal.SIGKILL) is not None:
            self.may_fail += WORKERS - 1  # a worker that was about to begin never does

    def _stop_worker(self, server: Besieged) -> None:
        self._stop(server, "worker")

    def _stop_fork_server(self, server: Besieged) -> None:
        self._stop(server, "fork server")
        self.may_fail += WORKERS - 1

    def _stop(self, server: Besieged, kind: str) -> None:
        pid = self._send(server, kind, signal.SIGSTOP)
        if pid is not None:
            self._over.wait(self._random.uniform(*STOPPED_S))
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def _lock_database(self, server: Besieged) -> None:
        try:
            with server.locked_database():
                self._over.wait(self._random.uniform(*LOCKED_S))
        except sqlite3.OperationalError:  # the server had it all the time
            return
        self.deeds["database locked"] += 1

    def _send(self, server: Besieged, kind: str, what: signal.Signals) -> int | None:
        pids = sorted(server.by_kind()[kind])
        if not pids:
            return None
        pid = self._random.choice(pids)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, what)
        self.deeds[f"{kind} {'killed' if what is signal.SIGKILL else 'stopped'}"] += 1
        self.may_fail += 1
        return pid
