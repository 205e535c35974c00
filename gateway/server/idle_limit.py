"""Ends a server when nobody has asked it anything for a while."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator


class IdleLimit:
    """Counts what a server is asked, and acts once nothing was asked for a while.

    Args:
        limit_s: seconds without a request.
        act: called once, in a thread of its own.
        works: says whether there is work that no request waits for.
    """

    def __init__(self, limit_s: float, act: Callable[[], None], works: Callable[[], bool] = lambda: False) -> None:
        self.limit_s = limit_s
        self._act = act
        self._works = works
        self._under_way = 0
        self._last = time.monotonic()
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start the thread that waits for the end."""
        threading.Thread(target=self._wait, name="idle-limit", daemon=True).start()

    @contextlib.contextmanager
    def busy(self) -> Iterator[None]:
        """Count what happens within as a request that is under way."""
        self.begin()
        try:
            yield
        finally:
            self.end()

    def begin(self) -> None:
        """Count a request."""
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
                left = self.limit_s if self._under_way else self._last + self.limit_s - time.monotonic()
            if left <= 0:
                self._act()
                return
            time.sleep(left)
