"""Gives the leases of this process back when the process ends, fails, is interrupted or receives a signal.

While the process has a lease, SIGTERM and SIGHUP, which would end the process at once, raise ``SystemExit``. A signal
that the program handles or ignores itself is left alone, and the default is restored with the last lease. Python lets
only the main thread change this: if all leases are taken in other threads, these signals end the process at once, and
the next process removes the containers.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import sys
import threading
from types import FrameType

from gateway.containers.container import Fleet, Lease
from gateway.errors import GatewayError

SIGNALS = (signal.SIGTERM, signal.SIGHUP)
"""The signals that end a process at once unless the program handles them."""


class Leases:
    """The leases of this process.

    A backend that is dropped without ``close()`` leaves its lease here, so that the next backend in
    this process finds the container still running.
    """

    def __init__(self) -> None:
        self._held: dict[str, tuple[Fleet, Lease]] = {}
        self._fleets: list[Fleet] = []
        self._process: int | None = None

    def add(self, fleet: Fleet, lease: Lease) -> None:
        """Add a lease, which is given back at the latest when the process ends."""
        if self._process != os.getpid():  # a forked child has its own containers, not its parent's
            self._process = os.getpid()
            self._held, self._fleets = {}, []
            atexit.register(self.give_all_back)
        self._held[lease.user] = (fleet, lease)
        _handle_signals()
        if fleet not in self._fleets:
            self._fleets.append(fleet)

    def give_back(self, lease: Lease) -> None:
        """Give a lease back; nothing happens if that was done before."""
        entry = self._held.pop(lease.user, None)
        if entry is None or self._process != os.getpid():
            return
        try:
            entry[0].release(lease)
        finally:
            if not self._held:
                _restore_signals()

    def give_all_back(self) -> None:
        """Give all leases back, in parallel."""
        if self._process != os.getpid():
            return
        threads = [threading.Thread(target=self._give_back_or_warn, args=(lease,)) for _, lease in self._held.values()]
        try:
            for thread in threads:
                thread.start()
        except RuntimeError:  # the interpreter starts no more threads
            for _, lease in list(self._held.values()):
                self._give_back_or_warn(lease)
        for thread in threads:
            if thread.ident is not None:
                thread.join()
        for fleet in self._fleets:
            with contextlib.suppress(GatewayError):
                fleet.remove_orphans()

    def _give_back_or_warn(self, lease: Lease) -> None:
        try:
            self.give_back(lease)
        except GatewayError as exc:
            sys.stderr.write(f"gateway: the container {lease.name} may be left behind: {exc}\n")


def _handle_signals() -> None:
    """Turn signals that would end the process at once into a SystemExit, unless the program handles or ignores them."""
    if threading.current_thread() is not threading.main_thread():
        return
    for number in SIGNALS:
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _exit)


def _restore_signals() -> None:
    """Restore the default of each signal that our handler still handles."""
    if threading.current_thread() is not threading.main_thread():
        return
    for number in SIGNALS:
        if signal.getsignal(number) is _exit:
            signal.signal(number, signal.SIG_DFL)


def _exit(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)


LEASES = Leases()
"""The leases of this process, for all its backends together."""
