"""A connection as gunicorn reads it, with our rules about slow clients and about those who close their half."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import socket
import struct
import termios
from array import array
from functools import partial
from typing import TYPE_CHECKING, Any

from gunicorn.asgi.protocol import ASGIProtocol

from gateway.server.access.connections import Stage

if TYPE_CHECKING:
    from gateway.server.http.gunicorn_worker import HttpWorker

UNSENT_BYTES = 2**17
"""The bytes of an answer that the system keeps for a client beyond those that are on their way."""

LINGER_S = 2.0
"""Seconds for which a connection is read on whose request was no HTTP, so that its client sees the answer."""


class Connection(ASGIProtocol):  # type: ignore[misc]  # gunicorn is untyped
    """One connection, which takes one request after the other.

    Args:
        worker: the process that has it.
        is_for_probes: whether there are so many connections that this one may only be used for probes.
    """

    transport: asyncio.Transport
    _closed: bool

    def __init__(self, worker: HttpWorker, *, is_for_probes: bool) -> None:
        super().__init__(worker)
        self.app = partial(worker.front.answer, self)
        self._loop: asyncio.AbstractEventLoop = worker.loop
        self._connections = worker.connections
        self._written_bytes = 0
        self._is_refused = False
        self.is_half_closed = False
        self.is_for_probes = is_for_probes

    # ------------------------------------------------------------------ what asyncio calls

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Begin to read."""
        super().connection_made(transport)
        _keep_little_unsent(transport)

    def data_received(self, data: bytes) -> None:
        """Take bytes of requests."""
        if self._is_refused:
            return
        self._connections.received(self)
        try:
            super().data_received(data)
        except ValueError:  # gunicorn reads a length of many thousand digits
            self._send_error_response(400, "the request is no HTTP")
            self._close_transport()

    def eof_received(self) -> bool | None:
        """Answer the request that has arrived, if there is one, although its client sends nothing more."""
        if self._is_ssl or self._is_refused or self._current_request is None:
            return None  # the connection is closed
        self.is_half_closed = True
        if not self._body_receiver._complete:  # noqa: SLF001 - gunicorn's, as all of this class
            self._body_receiver.signal_disconnect()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._connections.closed(self)
        super().connection_lost(exc)

    # ------------------------------------------------------------------ what gunicorn calls

    def _is_websocket_upgrade(self, _request: Any) -> bool:  # noqa: ANN401 - gunicorn's
        """Leave every request what it is: a server may ignore that its client would rather speak another protocol."""
        return False

    def _close_transport(self) -> None:
        """Close the connection; where it closes in the middle of a request, after the client has seen the answer."""
        is_arriving = self._connections.stage_of(self) is Stage.ARRIVING
        if self._closed or self._is_ssl or not is_arriving or self.is_half_closed:
            super()._close_transport()
            self.transport.close()  # gunicorn's does not where the client has left already
            return
        self._closed = self._is_refused = True
        self.transport.resume_reading()
        with contextlib.suppress(OSError):
            self.transport.write_eof()
        self._loop.call_later(LINGER_S, self.end)

    # ------------------------------------------------------------------ what the front calls

    @property
    def is_lost(self) -> bool:
        """Whether no answer can be sent any more."""
        return self.transport.is_closing()

    def begun(self) -> None:
        """Take note that the head of a request has arrived."""
        self._connections.received(self)

    def arrived(self) -> None:
        """Take note that a request has arrived whole."""
        self._connections.arrived(self)

    def answering(self) -> None:
        """Take note that the client receives an answer from now on."""
        self._connections.answering(self)

    def wrote(self, size: int) -> None:
        """Take note of bytes of an answer."""
        self._written_bytes += size

    def answered(self) -> None:
        """Take note that an answer was written."""
        self._connections.answered(self)
        if self.is_half_closed and not self._callback_parser.remaining():
            self._close_transport()

    def close_after_answer(self) -> None:
        """Take no further request from this connection."""
        self._current_request.must_close = True

    # ------------------------------------------------------------------ what the rules about connections call

    def end(self) -> None:
        """End the connection at once; of an answer that is cut short, the system sends nothing more either."""
        sock = _socket_of(self.transport)
        if sock is not None and self.is_waiting():
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    def taken_bytes(self) -> int:
        """Return how many bytes of answers the client's system has taken."""
        return self._written_bytes - self.transport.get_write_buffer_size() - self._bytes_on_their_way()

    def is_waiting(self) -> bool:
        """Say whether bytes of an answer wait for the client to take them."""
        return self.transport.get_write_buffer_size() > 0

    def _bytes_on_their_way(self) -> int:
        """Return how many bytes this system still has to send, or has sent without knowing that they came."""
        number, sock = array("i", [0]), _socket_of(self.transport)
        if sock is not None:
            with contextlib.suppress(OSError):  # no socket of TCP, or a closed one
                fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, number)
        return number[0]


def _socket_of(transport: asyncio.Transport) -> socket.socket | None:
    """Return the socket of a connection; where it speaks TLS, it has none any more once its client has left."""
    sock: socket.socket | None = transport.get_extra_info("socket")
    return sock


def _keep_little_unsent(transport: asyncio.Transport) -> None:
    """Have the system keep few bytes that a slow client does not take; those on their way do not count."""
    sock = _socket_of(transport)
    if sock is not None and hasattr(socket, "TCP_NOTSENT_LOWAT"):
        with contextlib.suppress(OSError):  # no socket of TCP
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
