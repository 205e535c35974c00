"""Where connections wait for their first byte, which costs little: there may be thousands that never send one."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from typing import TYPE_CHECKING, cast

from gateway.server.http.connection import Connection

if TYPE_CHECKING:
    from gateway.server.http.gunicorn_worker import HttpWorker

HANDSHAKE_S = 10.0
"""Seconds that a client has to agree with the server on the keys of TLS."""


class Entrance(asyncio.Protocol):
    """A connection on which nothing has come yet, or not more than the beginning of TLS.

    Args:
        worker: the process that has it.
        tls: certificate and key, where the server speaks TLS.
    """

    __slots__ = ("_early", "_has_keys", "_is_for_probes", "_task", "_tls", "_transport", "_worker")

    def __init__(self, worker: HttpWorker, tls: ssl.SSLContext | None) -> None:
        self._worker = worker
        self._tls = tls
        self._has_keys = tls is None
        self._early = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the first byte."""
        self._transport = cast("asyncio.Transport", transport)
        self._is_for_probes = not self._worker.connections.opened(self)
        if self._tls is not None and not self._transport.is_closing():
            self._transport.pause_reading()
            self._task = self._worker.loop.create_task(self._agree_on_keys(self._tls))

    def data_received(self, data: bytes) -> None:
        """Have gunicorn read the connection from now on."""
        if not self._has_keys:
            self._early += data  # what came with the last bytes about the keys
            return
        connection = Connection(self._worker, is_for_probes=self._is_for_probes)
        self._worker.connections.replaced(self, connection)
        self._transport.set_protocol(connection)
        connection.connection_made(self._transport)
        connection.data_received(data)

    def connection_lost(self, _: Exception | None) -> None:
        """Forget the connection."""
        self._worker.connections.closed(self)

    async def _agree_on_keys(self, tls: ssl.SSLContext) -> None:
        plain, transport = self._transport, None
        with contextlib.suppress(OSError):  # of TLS, or of the time
            transport = await self._worker.loop.start_tls(
                plain, self, tls, server_side=True, ssl_handshake_timeout=HANDSHAKE_S
            )
        if transport is None:  # its client has left, for one
            self._worker.connections.closed(self)
            plain.abort()
            return
        self._transport, self._has_keys = transport, True
        if self._early:
            self.data_received(self._early)

    # ------------------------------------------------------------------ what the rules about connections call

    def end(self) -> None:
        """End the connection at once."""
        self._transport.abort()

    def taken_bytes(self) -> int:
        """Return how many bytes of answers the client's system has taken."""
        return 0

    def is_waiting(self) -> bool:
        """Say whether bytes of an answer wait for the client to take them."""
        return False
