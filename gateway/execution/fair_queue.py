"""Gives callers turns: within one caller first come, first served; between callers each in turn."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class FairQueue(Generic[T]):
    """A queue in which a caller who waits with a thousand things does not keep out one who waits with one.

    Not locked: its owner does that.
    """

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, deque[T]] = OrderedDict()
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def put(self, caller: str, item: T) -> None:
        """Put an item behind all others of its caller."""
        self._waiting.setdefault(caller, deque()).append(item)
        self._length += 1

    def take(self) -> T | None:
        """Return the next item of the caller whose turn it is, or ``None`` if nobody waits."""
        if not self._waiting:
            return None
        caller, items = self._waiting.popitem(last=False)
        item = items.popleft()
        if items:
            self._waiting[caller] = items  # behind all others
        self._length -= 1
        return item

    def remove(self, caller: str, item: T) -> bool:
        """Take an item out of turn; say whether it was there."""
        items = self._waiting.get(caller)
        if items is None or item not in items:
            return False
        items.remove(item)
        if not items:
            del self._waiting[caller]
        self._length -= 1
        return True

    def remove_all(self, caller: str, unwanted: Callable[[T], bool]) -> None:
        """Take all items of a caller out that a function names."""
        items = self._waiting.get(caller)
        if items is None:
            return
        kept = deque(item for item in items if not unwanted(item))
        self._length -= len(items) - len(kept)
        if kept:
            self._waiting[caller] = kept  # in the caller's old place
        else:
            del self._waiting[caller]


class _Ticket(Generic[T]):
    """A place in line, and what its holder is handed when their turn comes.

    A lock that is taken until then does what an Event would, in a third of the time.
    """

    def __init__(self) -> None:
        self._uncalled = threading.Lock()
        self._uncalled.acquire()
        self._handed: T | None = None

    def call(self, thing: T | None) -> None:
        """Hand the holder a thing, or ``None`` to send them away."""
        self._handed = thing
        self._uncalled.release()

    def wait(self, timeout_s: float | None) -> bool:
        """Return whether the holder was called in time."""
        return self._uncalled.acquire(timeout=-1 if timeout_s is None else min(timeout_s, threading.TIMEOUT_MAX))

    @property
    def handed(self) -> T | None:
        """What the holder was handed, once they were called."""
        return self._handed


class Line(Generic[T]):
    """Hands things that become free to those who wait for one, in fair order.

    When it is closed, everybody is handed ``None``.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._free: deque[T] = deque()
        self._waiting: FairQueue[_Ticket[T]] = FairQueue()
        self._closed = False

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def has_free(self) -> bool:
        """Whether a thing is free."""
        return bool(self._free)

    def take(self, caller: str, timeout_s: float | None) -> T | None:
        """Return a free thing, waiting for one in line.

        Raises:
            TimeoutError: none became free in time.
        """
        with self._lock:
            if self._closed:
                return None
            if self._free:  # then nobody waits
                return self._free.popleft()
            ticket: _Ticket[T] = _Ticket()
            self._waiting.put(caller, ticket)
        if not ticket.wait(timeout_s):
            with self._lock:
                if self._waiting.remove(caller, ticket):
                    raise TimeoutError
        return ticket.handed

    def give(self, thing: T) -> None:
        """Hand a free thing to whoever is next."""
        with self._lock:
            ticket = self._waiting.take()
            if ticket is None:
                self._free.append(thing)
            else:
                ticket.call(thing)  # under the lock: one whose time is over at this moment has it, or is not in line

    def close(self) -> None:
        """Send everybody away."""
        with self._lock:
            self._closed = True
            self._free.clear()
            while (ticket := self._waiting.take()) is not None:
                ticket.call(None)
