"""Stands between the connections and the application, on the event loop, so that slow clients hold no thread.

A request is collected here until it is whole, then a thread has the application answer it, and the answer is written
here at the pace of its client. Probes are answered here at once, whatever the threads do.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Protocol, cast

from gateway.errors import BusyError, GatewayError
from gateway.protocol.endpoints import ENDPOINTS
from gateway.server.http.bodies import Bodies, Body
from gateway.server.http.handlers import HANDLERS, PROBES
from gateway.server.http.responses import on_gateway_error, on_surprise
from gateway.server.http.turns import Turns
from gateway.server.http.wsgi import Answer, Pieces, call, environ_of

if TYPE_CHECKING:
    from flask import Flask

    from gateway.server.service import Service

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

READING_THREADS = 8
"""Threads that read the pieces of large answers from where they are kept."""

MOST_READ_ON = 8
"""From a client whose request was refused while it was still being sent, this many of the largest bodies are read."""

_PROBES = {row.path: row.operation for row in ENDPOINTS.values() if row.path in PROBES}
_NOT_SIMPLE = {b"origin", b"sec-fetch-site", b"content-length", b"transfer-encoding"}


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


class Front:
    """Answers the requests of all connections. It belongs to the thread of the event loop.

    Args:
        service: the service.
        application: answers requests that have arrived whole.
        threads: the most requests that are answered at the same time.
    """

    def __init__(self, service: Service, application: Flask, threads: int) -> None:
        self._service = service
        self._application = application
        self._bodies = Bodies(service.limits.max_body_bytes)
        self._threads = ThreadPoolExecutor(threads, "gateway-http")
        self._turns = Turns(threads)
        self._readers = ThreadPoolExecutor(READING_THREADS, "gateway-answers")

    async def answer(self, connection: Connection, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request: an ASGI application for one connection."""
        connection.begun()
        exchange = _Exchange(connection, scope, receive, send)
        probe = self._probe(scope)
        if probe is not None:
            await exchange.send_whole(probe)
            return
        await self._serve(exchange)

    async def _serve(self, exchange: _Exchange) -> None:
        try:
            answer = await self._answer(exchange)
        except _BrokenOffError:
            exchange.connection.end()
            return
        except Exception as exc:  # noqa: BLE001 - whatever the source of an answer raises
            answer = self._problem(exchange, exc)
        if exchange.is_refused:
            await self._refuse(exchange, answer)
        elif answer.rest is None:
            await exchange.send_whole(answer)
        else:
            with self._service.busy():
                await exchange.send_pieces(answer, answer.rest, self._readers)

    async def _answer(self, exchange: _Exchange) -> Answer:
        """Return the application's answer.

        Raises:
            BusyError: there is no room for the request.
            _BrokenOffError: the rest of the request will not come.
        """
        if exchange.connection.is_for_probes:
            raise BusyError("too many connections are open, and all of them are used", retry_after_s=1.0)
        if exchange.is_chunked or exchange.size > self._service.limits.max_body_bytes:
            # The application refuses it by its head, unless there is another reason to refuse it.
            exchange.is_refused = True
            return await self._call(exchange.scope, Body(self._bodies))
        if not exchange.is_framed:
            exchange.connection.close_after_answer()  # two readers may disagree where the next request begins
        body = await exchange.collect(Body(self._bodies))
        exchange.connection.arrived()
        return await self._call(exchange.scope, body)

    async def _call(self, scope: Scope, body: Body) -> Answer:
        """Have a thread call the application; it may go on after the client has left, and has its body until then."""
        future: Future[Answer] | None = None
        has_turn = False
        try:
            await self._turns.wait(_sender(scope))
            has_turn = True
            future = self._threads.submit(call, self._application, environ_of(scope, body.open()))
            answer = await asyncio.wrap_future(future)
        except BaseException:
            if future is not None:
                loop = asyncio.get_running_loop()
                future.add_done_callback(lambda done: _call_in(loop, self._give_up, done, body))
            else:
                if has_turn:
                    self._turns.end()
                body.close()
            raise
        self._turns.end()
        body.close()
        return answer

    def _give_up(self, future: Future[Answer], body: Body) -> None:
        """Give back what a call held whose client has left."""
        self._turns.end()
        body.close()
        if not future.cancelled() and future.exception() is None and (pieces := future.result().rest) is not None:
            pieces.close()

    def _problem(self, exchange: _Exchange, error: Exception) -> Answer:
        """Return the answer to a request that the application did not answer, and which may not have arrived whole."""
        exchange.is_refused = True
        response = on_gateway_error(error) if isinstance(error, GatewayError) else on_surprise(error)
        self._service.telemetry.request_answered(None, response.status_code)
        return call(response, {"REQUEST_METHOD": exchange.scope["method"]})

    async def _refuse(self, exchange: _Exchange, answer: Answer) -> None:
        """Send an answer before its request has arrived whole, and read what the client still sends.

        A client would not see the answer if the connection broke before the client has sent all.
        """
        exchange.connection.close_after_answer()
        await exchange.send_refusal(answer)
        await exchange.read_on(self._service.limits.max_body_bytes * MOST_READ_ON)

    def _probe(self, scope: Scope) -> Answer | None:
        """Return the answer to a probe, unless it is something else or has to be looked at more closely."""
        operation = _PROBES.get(scope["path"])
        if operation is None or scope["method"] not in {"GET", "HEAD"}:
            return None
        headers = dict(scope["headers"])
        host = headers.get(b"host", b"localhost").decode("latin-1")
        if not _NOT_SIMPLE.isdisjoint(headers) or not self._service.web_pages.is_ours(host):
            return None
        try:
            response = HANDLERS[operation](self._service)
        except GatewayError as exc:
            response = on_gateway_error(exc)
        self._service.telemetry.request_answered(scope["path"], response.status_code)
        return call(response, {"REQUEST_METHOD": scope["method"]})


class _BrokenOffError(Exception):
    """The rest of a request will not come."""


class _Exchange:
    """One request on a connection, and its answer."""

    def __init__(self, connection: Connection, scope: Scope, receive: Receive, send: Send) -> None:
        self.connection = connection
        self.scope = scope
        self._receive = receive
        self._send = send
        headers = dict(scope["headers"])
        length = headers.get(b"content-length")
        self.is_chunked = b"transfer-encoding" in headers
        self.is_framed = length is not None or not (self.is_chunked or scope["method"] == "POST")
        self.size = int(length or 0)
        self.is_refused = False
        """Whether the answer does not wait for the rest of the request."""
        self._has_all = not self.size and not self.is_chunked

    async def collect(self, body: Body) -> Body:
        """Return the body once all of it has come, or once the client has closed its half of the connection.

        Raises:
            BusyError: there is no room for it.
            _BrokenOffError: the rest will not come.
        """
        try:
            while body.size < self.size and (piece := await self._received()) is not None:
                body.append(piece)
        except BaseException:
            body.close()
            raise
        if body.size < self.size and not self.connection.is_half_closed:
            body.close()
            raise _BrokenOffError
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

    async def _start(self, answer: Answer) -> None:
        await self._send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})

    async def _write(self, piece: bytes, *, more: bool) -> None:
        self.connection.wrote(len(piece))
        await self._send({"type": "http.response.body", "body": piece, "more_body": more})


def _call_in(loop: asyncio.AbstractEventLoop, function: Callable[..., None], *arguments: object) -> None:
    with contextlib.suppress(RuntimeError):  # the loop has ended, and so does the process
        loop.call_soon_threadsafe(function, *arguments)


def _sender(scope: Scope) -> str:
    """Return who takes turns with others: one address, or each holder of a token behind it."""
    token = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
    return f"{(scope['client'] or ('',))[0]} {token.decode('latin-1')}"
