"""Makes each thing once for all who ask for it, and keeps what was asked for last."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future

from gateway.execution.content import Content, size_of


class Once:
    """What was made, up to a number of bytes. Who asks for something that is being made waits for it.

    Args:
        most_bytes: the bytes of all that is kept.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._kept: OrderedDict[Hashable, Content] = OrderedDict()
        self._under_way: dict[Hashable, Future[Content]] = {}
        self._lock = threading.Lock()

    def kept(self, key: Hashable) -> Content | None:
        """Return what was made, if it is still kept."""
        with self._lock:
            return self._found(key)

    def get(self, key: Hashable, make: Callable[[], Content]) -> Content:
        """Return what was made, or is made now; who waits for it meets the same errors.

        Args:
            key: what it is.
            make: makes it.
        """
        with self._lock:
            if (found := self._found(key)) is not None:
                return found
            under_way = self._under_way.get(key)
            if under_way is None:
                making = self._under_way[key] = Future[Content]()
        if under_way is not None:
            return under_way.result()
        try:
            made = make()
        except BaseException as exc:
            self._end(key, None)
            making.set_exception(exc)
            raise
        self._end(key, made)
        making.set_result(made)
        return made

    def _found(self, key: Hashable) -> Content | None:
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
        return found

    def _end(self, key: Hashable, made: Content | None) -> None:
        with self._lock:
            del self._under_way[key]
            if made is None or size_of(made) > self._most_bytes:
                return
            self._kept[key] = made
            self._bytes += size_of(made)
            while self._bytes > self._most_bytes:
                self._bytes -= size_of(self._kept.popitem(last=False)[1])
