"""Adapts the process of gunicorn's that takes requests."""

from __future__ import annotations

import asyncio
import contextlib
import os
from functools import partial
from typing import TYPE_CHECKING, Protocol

from gunicorn.workers.gasgi import ASGIWorker

from gateway.execution.allocator import return_freed_memory
from gateway.server.access.connections import Connections, raise_descriptor_limit
from gateway.server.http.entrance import Entrance

if TYPE_CHECKING:
    from flask import Flask

    from gateway.server.http.front import Front, Hosted

ACCEPTED_AT_ONCE = 64
"""Connections that are accepted before others that are open have their turn."""

LOOK_EVERY_S = 0.5


class HostedApplication(Protocol):
    """An application of gunicorn's; its service exists once the process has loaded it."""

    service: Hosted | None

    def make_front(self, application: Flask) -> Front:
        """Return what stands between the connections and an application."""


class HttpWorker(ASGIWorker):  # type: ignore[misc]  # gunicorn is untyped
    """An event loop that slow clients cannot hold up, and that tells the service when it has to end."""

    app: HostedApplication
    loop: asyncio.AbstractEventLoop
    front: Front

    def load_wsgi(self) -> None:
        """Load the application, and put the front before it."""
        return_freed_memory()  # while there are no other threads, each of which would have a heap of its own
        super().load_wsgi()
        service = self.app.service
        assert service is not None  # noqa: S101 - it was loaded
        raise_descriptor_limit()
        self.connections = Connections(service.limits)
        self.front = self.app.make_front(self.asgi)
        self._awake = asyncio.Event()

    def handle_exit_signal(self) -> None:
        """Begin no run of a job any more; those under way have the time that is left."""
        if self.app.service is not None:  # else the signal came while the application was loaded
            self.app.service.stop_taking()
        super().handle_exit_signal()
        self._awake.set()

    def handle_quit_signal(self) -> None:
        """End without waiting for anybody."""
        super().handle_quit_signal()
        self._awake.set()

    async def _serve(self) -> None:
        """Take connections until a signal comes, or until the process above has ended."""
        tls = self._get_ssl_context()
        for listener in self.sockets:
            server = await self.loop.create_server(
                partial(Entrance, self, tls), sock=listener.sock, backlog=ACCEPTED_AT_ONCE
            )
            listener.sock.listen(self.cfg.backlog)  # asyncio accepts as many at once as may wait
            self.servers.append(server)
        while self.alive and self.ppid == os.getppid():
            await self._look(LOOK_EVERY_S)
        await self._shutdown()

    async def _shutdown(self) -> None:
        """Let the requests under way have their answers, for as long as there is time."""
        for server in self.servers:
            server.close()
        until = self.loop.time() + self.cfg.graceful_timeout
        while self.nr_conns > 0 and self.loop.time() < until and not self._quick_shutdown:
            self.connections.end_idle()
            self._awake.clear()
            await self._look(0.1)

    async def _look(self, lasts_s: float) -> None:
        """Show the arbiter that this process lives, end what is too slow, and wait a moment or for a signal."""
        self.notify()
        self.connections.look()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._awake.wait(), lasts_s)
