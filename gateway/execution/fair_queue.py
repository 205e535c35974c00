"""Fair queues: callers take turns, and the items of one caller keep the order in which they came."""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

_ASK_EVERY_S = 0.1


class FairQueue(Generic[T]):
    """A queue from which callers take turns, so that one with a thousand items does not hold up one with a single item.

    The queue has no lock of its own: whoever shares it between threads locks it.
    """

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, deque[T]] = OrderedDict()
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def put(self, caller: str, item: T) -> None:
        """Append an item to those of its caller."""
        self._waiting.setdefault(caller, deque()).append(item)
        self._length += 1

    def take(self) -> T | None:
        """Remove and return the next item of the caller whose turn it is; ``None`` if the queue is empty."""
        if not self._waiting:
            return None
        caller, items = self._waiting.popitem(last=False)
        item = items.popleft()
        if items:
            self._waiting[caller] = items  # the caller goes behind all others
        self._length -= 1
        return item

    def before(self, caller: str, item: T) -> int | None:
        """Return how many items are taken before an item if no other comes; ``None`` if the queue does not hold it."""
        items = self._waiting.get(caller, deque[T]())
        if item not in items:
            return None
        place = items.index(item)
        count, turns = place, place + 1  # callers who are ahead have one turn more
        for other, theirs in self._waiting.items():
            if other == caller:
                turns = place
            else:
                count += min(len(theirs), turns)
        return count

    def remove(self, caller: str, item: T) -> bool:
        """Remove an item out of turn, and return whether the queue held it."""
        items = self._waiting.get(caller)
        if items is None or item not in items:
            return False
        items.remove(item)
        if not items:
            del self._waiting[caller]
        self._length -= 1
        return True

    def remove_all(self, caller: str, is_unwanted: Callable[[T], bool]) -> None:
        """Remove the items of a caller for which a function returns true."""
        items = self._waiting.get(caller)
        if items is None:
            return
        remaining = deque(item for item in items if not is_unwanted(item))
        self._length -= len(items) - len(remaining)
        if remaining:
            self._waiting[caller] = remaining  # in the caller's old place
        else:
            del self._waiting[caller]


class _Ticket(Generic[T]):
    """A place in the queue, and the thing that its holder receives when their turn comes.

    The holder waits for a lock that is released at that moment. An Event would take three times as long.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()
        self._thing: T | None = None

    def call(self, thing: T | None) -> None:
        """Give the holder a thing, or ``None`` to send them away, and wake them up."""
        self._thing = thing
        self._lock.release()

    def wait(self, timeout_s: float | None) -> bool:
        """Wait until the holder is called, and return whether that happened in time."""
        return self._lock.acquire(timeout=-1 if timeout_s is None else min(timeout_s, threading.TIMEOUT_MAX))

    def wait_while(self, is_wanted: Callable[[], bool], timeout_s: float | None) -> bool:
        """Wait as :meth:`wait` does, but no longer than a function returns true."""
        deadline = math.inf if timeout_s is None else time.monotonic() + timeout_s
        while is_wanted() and (remaining_s := deadline - time.monotonic()) > 0:
            if self.wait(min(remaining_s, _ASK_EVERY_S)):
                return True
        return False

    @property
    def thing(self) -> T | None:
        """The thing that the holder received; ``None`` before they were called and if they were sent away."""
        return self._thing


class WaitingQueue(Generic[T]):
    """Gives things, as they become free, to the callers that wait for one, in the order of a fair queue.

    Once the queue is closed, every caller receives ``None``.
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
        """Whether a thing is free at this moment."""
        return bool(self._free)

    @property
    def free(self) -> int:
        """How many things are free at this moment."""
        return len(self._free)

    def take(self, caller: str, timeout_s: float | None, is_wanted: Callable[[], bool] | None = None) -> T | None:
        """Return a free thing, after waiting for one; ``None`` if the queue is closed.

        Args:
            caller: who waits.
            timeout_s: how many seconds they wait.
            is_wanted: asked now and then, returns whether they still wait.

        Raises:
            TimeoutError: nothing became free in time, or the thing is wanted no more.
        """
        with self._lock:
            if self._closed:
                return None
            if self._free:  # then nobody waits
                return self._free.popleft()
            ticket: _Ticket[T] = _Ticket()
            self._waiting.put(caller, ticket)
        if not (ticket.wait(timeout_s) if is_wanted is None else ticket.wait_while(is_wanted, timeout_s)):
            with self._lock:
                if self._waiting.remove(caller, ticket):
                    raise TimeoutError
        return ticket.thing

    def give(self, thing: T) -> None:
        """Give a free thing to the next caller, or keep it until somebody asks for one."""
        with self._lock:
            ticket = self._waiting.take()
            if ticket is None:
                self._free.append(thing)
            else:
                ticket.call(thing)  # under the lock: a caller whose time ends now has the thing, or has left the queue

    def take_free(self, is_wanted: Callable[[T], bool]) -> list[T]:
        """Return the free things for which a function returns true, and keep the others."""
        with self._lock:
            taken = [thing for thing in self._free if is_wanted(thing)]
            self._free = deque(thing for thing in self._free if thing not in taken)
            return taken

    def close(self) -> None:
        """Send everybody who waits away, and everybody who comes later."""
        with self._lock:
            self._closed = True
            self._free.clear()
            while (ticket := self._waiting.take()) is not None:
                ticket.call(None)
