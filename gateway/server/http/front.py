"""Stands between the connections and the application, on the event loop, so that slow clients hold no thread.

A request is collected here until it is whole, then a thread has the application answer it, and the answer is written
here at the pace of its client. Probes are answered here at once, whatever the threads do.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

from gateway.errors import BusyError, GatewayError
from gateway.execution.pool import Stop
from gateway.server.http.bodies import Bodies, Body
from gateway.server.http.exchange import BrokenOffError, Connection, Exchange, Receive, Scope, Send
from gateway.server.http.requests import STOP
from gateway.server.http.responses import on_gateway_error, on_surprise
from gateway.server.http.turns import Turns
from gateway.server.http.wsgi import Answer, Headers, call, environ_of

if TYPE_CHECKING:
    from flask import Flask, Response

    from gateway.protocol.messages import ServerLimits
    from gateway.server.access.web_pages import WebGuard
    from gateway.server.telemetry.recorder import Recorder

OnLoop = Callable[[Exchange], Awaitable[Answer | None]]
Direct = Callable[[Scope], OnLoop | None]
"""Says what answers a request on the event loop, ``None`` for a request that the application answers. It may send the
answer itself and return nothing, or raise what the front makes an answer of."""

READING_THREADS = 8
"""Threads that read the pieces of large answers from where they are kept."""

MOST_READ_ON = 8
"""From a client whose request was refused while it was still being sent, this many of the largest bodies are read."""

_NOT_SIMPLE = {b"origin", b"sec-fetch-site", b"transfer-encoding"}


class Hosted(Protocol):
    """A service, as far as the front and the process that it runs in are concerned."""

    @property
    def limits(self) -> ServerLimits:
        """Bounds that no request may exceed."""

    @property
    def web_pages(self) -> WebGuard:
        """Decides which web pages and host names are let in."""

    @property
    def telemetry(self) -> Recorder:
        """Counts requests."""

    def busy(self) -> AbstractContextManager[None]:
        """Return the context of something that is under way, so that the server does not seem idle meanwhile."""

    def stop_taking(self) -> None:
        """Begin nothing any more; what is under way may go on."""

    def close(self, within_s: float = 0) -> None:
        """Close all parts; what is under way has so many seconds to end."""


class Front:
    """Answers the requests of all connections. It belongs to the thread of the event loop.

    Args:
        service: the service.
        application: answers requests that have arrived whole.
        threads: the most requests that are answered at the same time.
        probes: path of a probe -> what answers it at once.
        direct: says which other requests are answered here, and how.
    """

    def __init__(
        self,
        service: Hosted,
        application: Flask,
        threads: int,
        probes: Mapping[str, Callable[[], Response]],
        direct: Direct = lambda _: None,
    ) -> None:
        self._service = service
        self._application = application
        self._bodies = Bodies(service.limits.max_body_bytes)
        self._threads = ThreadPoolExecutor(threads, "gateway-http")
        self._turns = Turns(threads)
        self._readers = ThreadPoolExecutor(READING_THREADS, "gateway-answers")
        self._probes = probes
        self._direct = direct

    async def answer(self, connection: Connection, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request: an ASGI application for one connection."""
        connection.begun()
        exchange = Exchange(connection, scope, receive, send, self._bodies)
        probe = self._probe(scope)
        if probe is not None:
            await exchange.send_whole(probe)
            return
        await self._serve(exchange)

    async def _serve(self, exchange: Exchange) -> None:
        try:
            answer = await self._answer(exchange)
        except BrokenOffError:
            exchange.connection.end()
            return
        except Exception as exc:  # noqa: BLE001 - whatever the source of an answer raises
            answer = self._problem(exchange, exc)
        if answer is None:
            return
        if exchange.is_refused:
            await self._refuse(exchange, answer)
        elif answer.rest is None:
            await exchange.send_whole(answer)
        else:
            with self._service.busy():
                await exchange.send_pieces(answer, answer.rest, self._readers)

    async def _answer(self, exchange: Exchange) -> Answer | None:
        """Return the answer of the application, or of what answers on the event loop and may send it itself.

        Raises:
            BusyError: there is no room for the request.
            BrokenOffError: the rest of the request will not come.
        """
        if exchange.connection.is_for_probes:
            raise BusyError("too many connections are open, and all of them are used", retry_after_s=1.0)
        if exchange.is_chunked or exchange.size > self._service.limits.max_body_bytes:
            # The application refuses it by its head, unless there is another reason to refuse it.
            exchange.is_refused = True
            return await self._call(exchange.scope, Body(self._bodies))
        if not exchange.is_framed:
            exchange.connection.close_after_answer()  # two readers may disagree where the next request begins
        direct = self._direct(exchange.scope) if exchange.is_framed else None
        if direct is not None:
            exchange.for_browsers = self._for_browsers(exchange.scope)
            return await direct(exchange)
        body = await exchange.collect(Body(self._bodies))
        exchange.connection.arrived()
        return await self._call(exchange.scope, body)

    async def _call(self, scope: Scope, body: Body) -> Answer:
        """Have a thread call the application; it may go on after the client has left, and has its body until then.

        A run ends with its client: nobody would ever see what it gives.
        """
        future: Future[Answer] | None = None
        has_turn = False
        stop = Stop()
        try:
            await self._turns.wait(_sender(scope))
            has_turn = True
            environ = {**environ_of(scope, body.open()), STOP: stop}
            future = self._threads.submit(call, self._application, environ)
            answer = await asyncio.wrap_future(future)
        except BaseException:
            stop.request()
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

    def _problem(self, exchange: Exchange, error: Exception) -> Answer:
        """Return the answer to a request that nobody answered, and which may not have arrived whole."""
        exchange.is_refused = not exchange.has_arrived
        exchange.for_browsers = self._for_browsers(exchange.scope)
        response = on_gateway_error(error) if isinstance(error, GatewayError) else on_surprise(error)
        self._service.telemetry.request_answered(None, response.status_code)
        return call(response, {"REQUEST_METHOD": exchange.scope["method"]})

    def _for_browsers(self, scope: Scope) -> Headers:
        """Return the headers by which browsers use an answer as they use those of the application."""
        origin = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"origin"), None)
        allowance = self._service.web_pages.allowance(origin)
        headers = {"X-Content-Type-Options": "nosniff", **allowance, **({"Vary": "Origin"} if allowance else {})}
        return [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]

    async def _refuse(self, exchange: Exchange, answer: Answer) -> None:
        """Send an answer before its request has arrived whole, and read what the client still sends.

        A client would not see the answer if the connection broke before the client has sent all.
        """
        exchange.connection.close_after_answer()
        await exchange.send_refusal(answer)
        await exchange.read_on(self._service.limits.max_body_bytes * MOST_READ_ON)

    def _probe(self, scope: Scope) -> Answer | None:
        """Return the answer to a probe, unless it is something else or has to be looked at more closely."""
        probe = self._probes.get(scope["path"])
        if probe is None or scope["method"] not in {"GET", "HEAD"}:
            return None
        headers = dict(scope["headers"])
        host = headers.get(b"host", b"localhost").decode("latin-1")
        if headers.get(b"content-length", b"0").strip(b"0") or not _NOT_SIMPLE.isdisjoint(headers):
            return None
        if not self._service.web_pages.is_ours(host):
            return None
        try:
            response = probe()
        except GatewayError as exc:
            response = on_gateway_error(exc)
        self._service.telemetry.request_answered(scope["path"], response.status_code)
        return call(response, {"REQUEST_METHOD": scope["method"]})


def _call_in(loop: asyncio.AbstractEventLoop, function: Callable[..., None], *arguments: object) -> None:
    with contextlib.suppress(RuntimeError):  # the loop has ended, and so does the process
        loop.call_soon_threadsafe(function, *arguments)


def _sender(scope: Scope) -> str:
    """Return who takes turns with others: one address, or each holder of a token behind it."""
    token = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
    return f"{(scope['client'] or ('',))[0]} {token.decode('latin-1')}"
