"""Lets Ctrl-C interrupt a request without making the next one wait for ever, and shares no connection across a fork.

The connection pools of urllib3 keep their idle connections in a :class:`queue.LifoQueue`, whose lock stays locked if an
exception that a signal handler raises, such as KeyboardInterrupt, arrives just after it was taken. Processes that a
program forks have copies of its idle connections; if two of them used one, each would get answers of the other's.

A connection is reset when it closes, even that of a program that is killed. A server takes one that closes in the usual
way for one whose client sends nothing more and still waits for its answer, and would go on with a run in vain.
"""

from __future__ import annotations

import os
import queue
import socket
import struct
from typing import Any, TypeVar

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, ProxyManager
from urllib3.connection import HTTPConnection

T = TypeVar("T")


class ConnectionStack(queue.LifoQueue[T]):
    """Keeps the idle connections of a pool without a lock, and never waits.

    Each method makes one change, by a method of a list, which no signal handler and no other thread interrupts.
    """

    def __init__(self, maxsize: int = 0) -> None:
        super().__init__(maxsize)
        self._owner = os.getpid()

    def get(self, block: bool = True, timeout: float | None = None) -> T:  # noqa: ARG002 - its base waits
        """Return the connection that was put last; urllib3 opens one in place of ``None``.

        Raises:
            queue.Empty: there is none, on which urllib3 opens one, too.
        """
        if self._owner != os.getpid():
            self.queue.clear()
            self._owner = os.getpid()
        try:
            return self.queue.pop()
        except IndexError:
            raise queue.Empty from None

    def put(self, item: T, block: bool = True, timeout: float | None = None) -> None:  # noqa: ARG002 - its base waits
        """Keep a connection.

        Raises:
            queue.Full: there are enough, on which urllib3 closes this one.
        """
        if 0 < self.maxsize <= len(self.queue):
            raise queue.Full
        self.queue.append(item)

    def qsize(self) -> int:
        """Return the number of idle connections."""
        return len(self.queue)


class _Pool(HTTPConnectionPool):
    QueueCls = ConnectionStack


class _TLSPool(HTTPSConnectionPool):
    QueueCls = ConnectionStack


_RESET_WHEN_CLOSED = (socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

_POOLS: dict[str, type[HTTPConnectionPool]] = {"http": _Pool, "https": _TLSPool}


class InterruptibleAdapter(HTTPAdapter):
    """Carries the requests of a session, and lets a signal interrupt them at any moment."""

    def init_poolmanager(self, *words: Any, **options: Any) -> None:  # noqa: ANN401 - as requests has it
        """Make the pools of connections."""
        super().init_poolmanager(*words, **_with_reset(options))
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **options: Any) -> ProxyManager:  # noqa: ANN401 - as requests has it
        """Return the pools of connections that go through a proxy."""
        manager: ProxyManager = super().proxy_manager_for(proxy, **_with_reset(options))
        manager.pool_classes_by_scheme = _POOLS
        return manager


def _with_reset(options: dict[str, Any]) -> dict[str, Any]:
    """Return the options of a pool by which its connections are reset when they close."""
    sockets = options.get("socket_options", HTTPConnection.default_socket_options)
    return {**options, "socket_options": [*sockets, _RESET_WHEN_CLOSED]}
