"""What this process holds of containers; given back when it returns, fails, is interrupted or asked to end.

A signal that would end the process at once, SIGTERM or SIGHUP, becomes a ``SystemExit`` while there is something to
give back. A handler of the program's own stays, an ignored signal stays ignored, and the default comes back with the
last lease. Python lets only the main thread change that: where all leases are taken in other threads, these signals
end the process at once, and the next process removes what is left.
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
"""They end a process without a word to it, unless somebody handles them."""


class Leases:
    """The leases of this process.

    An object that is forgotten without ``close()`` leaves its lease here, so that the next one in
    this process finds its container still running.
    """

    def __init__(self) -> None:
        self._held: dict[str, tuple[Fleet, Lease]] = {}
        self._fleets: list[Fleet] = []
        self._process: int | None = None

    def add(self, fleet: Fleet, lease: Lease) -> None:
        """Hold a lease, and see to it that it is given back when the process ends."""
        if self._process != os.getpid():  # a forked child has its own containers, not its parent's
            self._process = os.getpid()
            self._held, self._fleets = {}, []
            atexit.register(self.give_all_back)
        self._held[lease.user] = (fleet, lease)
        _exit_on_signals()
        if fleet not in self._fleets:
            self._fleets.append(fleet)

    def give_back(self, lease: Lease) -> None:
        """Give one back; nothing happens if it was given back already."""
        held = self._held.pop(lease.user, None)
        if held is None or self._process != os.getpid():
            return
        try:
            held[0].release(lease)
        finally:
            if not self._held:
                _end_on_signals_again()

    def give_all_back(self) -> None:
        """Give all back, side by side."""
        if self._process != os.getpid():
            return
        threads = [threading.Thread(target=self._quietly, args=(lease,)) for _, lease in self._held.values()]
        try:
            for thread in threads:
                thread.start()
        except RuntimeError:  # the interpreter starts no more threads
            for _, lease in list(self._held.values()):
                self._quietly(lease)
        for thread in threads:
            if thread.ident is not None:
                thread.join()
        for fleet in self._fleets:
            with contextlib.suppress(GatewayError):
                fleet.remove_orphans()

    def _quietly(self, lease: Lease) -> None:
        try:
            self.give_back(lease)
        except GatewayError as exc:
            sys.stderr.write(f"gateway: the container {lease.name} may be left behind: {exc}\n")


def _exit_on_signals() -> None:
    """Turn signals that would end the process at once into a SystemExit, unless the program handles or ignores them."""
    if threading.current_thread() is not threading.main_thread():
        return
    for number in SIGNALS:
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _exit)


def _end_on_signals_again() -> None:
    """Take our handler away, where it still is the one."""
    if threading.current_thread() is not threading.main_thread():
        return
    for number in SIGNALS:
        if signal.getsignal(number) is _exit:
            signal.signal(number, signal.SIG_DFL)


def _exit(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)


LEASES = Leases()
"""What this process holds; there is one for all its backends."""
