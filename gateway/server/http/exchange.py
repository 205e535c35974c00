"""One request on a connection and its answer, as they are received and sent on the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any, Protocol, cast

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

    from gateway.server.http.bodies import Bodies, Body
    from gateway.server.http.wsgi import Answer, Headers, Pieces

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Connection(Protocol):
    """A connection, as far as the front is concerned."""

    is_for_probes: bool
    """Whether there are so many connections that this one may only be used for probes."""

    @property
    def is_lost(self) -> bool:
        """Whether no answer can be sent any more."""

    @property
    def is_half_closed(self) -> bool:
        """Whether the client sends nothing more."""

    def begun(self) -> None:
        """Take note that the head of a request has arrived."""

    def arrived(self) -> None:
        """Take note that a request has arrived whole."""

    def answering(self) -> None:
        """Take note that the client receives an answer from now on."""

    def wrote(self, size: int) -> None:
        """Take note of bytes of an answer."""

    def answered(self) -> None:
        """Take note that an answer was written."""

    def close_after_answer(self) -> None:
        """Take no further request from this connection."""

    def end(self) -> None:
        """End the connection at once."""


class BrokenOffError(Exception):
    """The rest of a request, or of an answer, will not come."""


class Exchange:
    """One request on a connection, and its answer.

    Args:
        connection: the connection.
        scope: the head of the request, as ASGI has it.
        receive: returns the next piece of the request.
        send: sends a piece of the answer.
        bodies: keeps account of the bodies of all requests.
    """

    def __init__(self, connection: Connection, scope: Scope, receive: Receive, send: Send, bodies: Bodies) -> None:
        self.connection = connection
        self.scope = scope
        self.bodies = bodies
        self._receive = receive
        self._send = send
        headers = dict(scope["headers"])
        length = headers.get(b"content-length")
        self.is_chunked = b"transfer-encoding" in headers
        self.is_framed = length is not None or not (self.is_chunked or scope["method"] == "POST")
        self.size = int(length or 0)
        self.is_refused = False
        """Whether the answer does not wait for the rest of the request."""
        self.for_browsers: Headers = []
        """Further headers of the answer, for browsers; the application has added them to its own answers."""
        self._has_all = not self.size and not self.is_chunked

    @property
    def has_arrived(self) -> bool:
        """Whether nothing of the request is still to come."""
        return self._has_all

    async def collect(self, body: Body) -> Body:
        """Return the body once all of it has come, or once the client has closed its half of the connection.

        Raises:
            BusyError: there is no room for it.
            BrokenOffError: the rest will not come.
        """
        try:
            while body.size < self.size and (piece := await self._received()) is not None:
                body.append(piece)
        except BaseException:
            body.close()
            raise
        if body.size < self.size and not self.connection.is_half_closed:
            body.close()
            raise BrokenOffError
        return body  # if it is short, the application says how much of it has come

    async def read_on(self, most_bytes: int) -> None:
        """Read and forget what the client still sends."""
        while most_bytes > 0 and (piece := await self._received()) is not None:
            most_bytes -= len(piece)

    async def _received(self) -> bytes | None:
        """Return the next bytes of the body, ``None`` if no more will come."""
        if self._has_all:
            return None
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self._has_all = True
            return None
        self._has_all = not message["more_body"]
        return cast("bytes", message["body"])

    async def send_whole(self, answer: Answer) -> None:
        """Send an answer that is in memory."""
        self.connection.answering()
        await self._start(answer)
        await self._write(answer.body, more=False)
        self.connection.answered()

    async def send_refusal(self, answer: Answer) -> None:
        """Send an answer while the request still arrives: its connection keeps the time that the request has."""
        await self._start(answer)
        await self._write(answer.body, more=False)

    async def send_pieces(self, answer: Answer, pieces: Pieces, readers: ThreadPoolExecutor) -> None:
        """Send a large answer, reading each piece once the client has taken the one before."""
        loop = asyncio.get_running_loop()
        self.connection.answering()
        try:
            await self._start(answer)
            piece: bytes | None = answer.body
            while piece is not None and not self.connection.is_lost:
                await self._write(piece, more=True)
                piece = await loop.run_in_executor(readers, pieces.next)
            await self._write(b"", more=False)
        finally:
            readers.submit(pieces.close)
        self.connection.answered()

    async def send_parts(self, answer: Answer, parts: AsyncIterator[bytes]) -> None:
        """Send an answer whose body comes in parts, each once the client has taken the one before.

        Where the answer states no length, its client sees whether it is whole by the end of the connection or of the
        last chunk. If the source of the parts fails, the connection is broken off.
        """
        self.connection.answering()
        try:
            await self._start(answer)
            async for part in parts:
                if self.connection.is_lost:
                    return
                await self._write(part, more=True)
            await self._write(b"", more=False)
        except Exception:
            self.connection.end()
            raise
        self.connection.answered()

    async def _start(self, answer: Answer) -> None:
        headers = [*answer.headers, *self.for_browsers]
        await self._send({"type": "http.response.start", "status": answer.status, "headers": headers})

    async def _write(self, piece: bytes, *, more: bool) -> None:
        self.connection.wrote(len(piece))
        await self._send({"type": "http.response.body", "body": piece, "more_body": more})
