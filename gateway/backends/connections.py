"""Lets Ctrl-C interrupt a request without making the next one wait for ever.

The connection pools of urllib3 keep their idle connections in a :class:`queue.LifoQueue`, whose lock stays locked if an
exception that a signal handler raises, such as KeyboardInterrupt, arrives just after it was taken.
"""

from __future__ import annotations

import queue
import weakref
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

from requests import Session
from requests.adapters import HTTPAdapter


def allow_interruptions(session: Session) -> None:
    """Make sure that a request of this session which a signal interrupts leaves no lock locked."""
    for adapter in session.adapters.values():
        if isinstance(adapter, HTTPAdapter):  # a test may have a transport of its own
            find_pool = adapter.get_connection_with_tls_context
            adapter.get_connection_with_tls_context = partial(_with_stack, find_pool)  # type: ignore[method-assign]


def _with_stack(find_pool: Callable[..., Any], *words: Any, **options: Any) -> Any:  # noqa: ANN401 - as the adapter has it
    """Return the pool that an adapter finds, after making sure that it keeps its connections in a stack of ours."""
    pool = find_pool(*words, **options)
    if isinstance(pool.pool, queue.LifoQueue):
        stack = ConnectionStack(pool.pool.maxsize)
        pool.pool = stack
        weakref.finalize(pool, stack.close)
    return pool


class ConnectionStack:
    """Keeps the idle connections of a pool, with those methods of ``queue.LifoQueue`` that urllib3 uses, but no lock.

    Each method makes one change, by a method of a deque, which no signal handler and no other thread interrupts.

    Args:
        maxsize: the greatest number of idle connections.
    """

    def __init__(self, maxsize: int) -> None:
        self._idle: deque[Any] = deque()
        self._maxsize = maxsize

    def get(self, block: bool = False, timeout: float | None = None) -> Any:  # noqa: ANN401, ARG002 - as LifoQueue has it
        """Return the connection that was used last; never wait for one.

        Raises:
            queue.Empty: there is none, on which urllib3 opens another.
        """
        try:
            return self._idle.pop()
        except IndexError:
            raise queue.Empty from None

    def put(self, item: Any, block: bool = False) -> None:  # noqa: ANN401, ARG002 - as LifoQueue has it
        """Keep a connection; never wait until there is room.

        Raises:
            queue.Full: there are enough, on which urllib3 closes this one.
        """
        if len(self._idle) >= self._maxsize:
            raise queue.Full
        self._idle.append(item)

    def qsize(self) -> int:
        """Return the number of idle connections."""
        return len(self._idle)

    def close(self) -> None:
        """Close all idle connections."""
        while self._idle:
            connection = self._idle.pop()
            if connection is not None:
                connection.close()
