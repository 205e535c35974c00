"""A comparison that is queued or runs, in the memory of the door, and who watches it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import replace

from gateway.door.comparisons.channel import Outcome, Said
from gateway.door.comparisons.processes import ComparisonProcess
from gateway.door.comparisons.store import Stored
from gateway.protocol.door import ComparisonInfo, ComparisonProgress

Listener = Callable[[ComparisonInfo], None]

log = logging.getLogger("gateway")


class Subscription:
    """Somebody who hears of the changes of a comparison, until it ends or they close the subscription."""

    def __init__(self, listener: Listener) -> None:
        self._listener: Listener | None = listener

    @property
    def is_open(self) -> bool:
        """Whether it is not closed."""
        return self._listener is not None

    def close(self) -> None:
        """Hear no more; a call that is under way in another thread goes on."""
        self._listener = None

    def tell(self, info: ComparisonInfo) -> None:
        """Call the listener; one that fails hears no more."""
        listener = self._listener
        if listener is None:
            return
        try:
            listener(info)
        except Exception:
            log.exception("a listener failed, and hears no more of a comparison")
            self.close()


class ActiveComparison:
    """A comparison that has not ended, or whose end is not in the file yet.

    Args:
        stored: what the file keeps of it; whoever holds ``lock`` replaces it when the comparison changes. Nobody waits
            for the file while they hold it.
        was_left: whether an earlier door has accepted it.

    Attributes:
        progress: how far it is, while it runs.
        partial: what has finished, while it runs.
        ended: set when it has ended.
    """

    def __init__(self, stored: Stored, *, was_left: bool = False) -> None:
        self.stored = stored
        self.was_left = was_left
        self.lock = threading.Lock()
        self.progress: ComparisonProgress | None = None
        self.partial: Outcome | None = None
        self.ended = threading.Event()
        self._process: ComparisonProcess | None = None
        self._telling = threading.Lock()
        self._subscriptions: list[Subscription] = []

    # ------------------------------------------------------------------ its process

    def has_process(self, process: ComparisonProcess | None) -> None:
        """Note the process that runs it; tell one that it is cancelled if it was meanwhile."""
        with self.lock:
            self._process = process
            is_cancelled = self.stored.cancelled_by is not None
        if process is not None and is_cancelled:
            process.interrupt()

    def hear(self, said: Said) -> None:
        """Take what the process says."""
        with self.lock:
            self.progress = said.progress
            self.partial = said.partial or self.partial

    def cancel(self, name: str) -> None:
        """Note who cancels it while it runs, and tell its process; who came first counts."""
        with self.lock:
            if self.stored.cancelled_by is None:
                self.stored = replace(self.stored, cancelled_by=name)
            process = self._process
        if process is not None:
            process.interrupt()

    # ------------------------------------------------------------------ who watches

    @property
    def is_watched(self) -> bool:
        """Whether somebody hears of changes."""
        return bool(self._subscriptions)

    def subscribe(self, listener: Listener, info: Callable[[], ComparisonInfo]) -> Subscription:
        """Let somebody hear of the state now, and of each change until the end."""
        subscription = Subscription(listener)
        with self._telling:
            now = info()
            subscription.tell(now)
            if not now.state.is_final:
                self._subscriptions = [*filter(_is_open, self._subscriptions), subscription]
        return subscription

    def tell(self, info: Callable[[], ComparisonInfo]) -> None:
        """Let everybody who watches hear of the state now; one call ends before the next begins."""
        with self._telling:
            if not self._subscriptions:
                return
            now = info()
            for subscription in self._subscriptions:
                subscription.tell(now)
            self._subscriptions = [] if now.state.is_final else [*filter(_is_open, self._subscriptions)]


def _is_open(subscription: Subscription) -> bool:
    return subscription.is_open
