"""Ends a server that has had no request for a while."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator


class IdleLimit:
    """Counts the requests under way, and acts once there was none for a while.

    Args:
        limit_s: seconds without a request after which it acts.
        act: called once, in a thread of its own.
        works: says whether there is work for which no request waits, such as a job.
    """

    def __init__(self, limit_s: float, act: Callable[[], None], works: Callable[[], bool] = lambda: False) -> None:
        self.limit_s = limit_s
        self._act = act
        self._works = works
        self._under_way = 0
        self._last = time.monotonic()
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start the thread that watches the time."""
        threading.Thread(target=self._wait, name="idle-limit", daemon=True).start()

    @contextlib.contextmanager
    def busy(self) -> Iterator[None]:
        """Count the body of the ``with`` statement as a request under way."""
        self.begin()
        try:
            yield
        finally:
            self.end()

    def begin(self) -> None:
        """Count the beginning of a request."""
        self._add(1)

    def end(self) -> None:
        """Count the end of a request."""
        self._add(-1)

    def _add(self, number: int) -> None:
        with self._lock:
            self._under_way += number
            self._last = time.monotonic()

    def _wait(self) -> None:
        while True:
            works = self._works()
            with self._lock:
                if works:
                    self._last = time.monotonic()
                wait_s = self.limit_s if self._under_way else self._last + self.limit_s - time.monotonic()
            if wait_s <= 0:
                self._act()
                return
            time.sleep(wait_s)
