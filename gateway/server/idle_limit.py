"""A server that ends itself when nobody has asked it anything for a while."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

from flask import Flask, g, request

from gateway.server.http.app import PROBES


class IdleLimit:
    """Counts the requests of an application, health checks left out, and acts once there are none.

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

    def watch(self, app: Flask) -> None:
        """Start counting."""
        app.before_request(self._begin)
        app.teardown_request(self._end)
        threading.Thread(target=self._wait, name="idle-limit", daemon=True).start()

    @contextlib.contextmanager
    def busy(self) -> Iterator[None]:
        """Count what is no request of the application as one."""
        self._add(1)
        try:
            yield
        finally:
            self._add(-1)

    def _begin(self) -> None:
        if request.path not in PROBES:
            g.counted = True
            self._add(1)

    def _end(self, _error: BaseException | None) -> None:
        if g.pop("counted", False):  # a request that was refused before counts as none
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
