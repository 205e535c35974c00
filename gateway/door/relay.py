"""Passes requests through to simulators and their answers back, on the event loop and without decoding either.

Paths and bodies go on byte for byte. What belongs to one connection is not passed on (RFC 9110, section 7.6.1), and an
answer is made harmless for browsers: a page that a simulator would send could otherwise act in the name of whoever has
the page of the door open.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from gateway.door.upstream import Request, UpstreamError
from gateway.errors import GatewayError, RequestError, TransportError, TransportTimeout
from gateway.protocol import endpoints
from gateway.rights import Right
from gateway.server.http.bodies import Body
from gateway.server.http.exchange import BrokenOffError
from gateway.server.http.wsgi import Answer

if TYPE_CHECKING:
    from gateway.door.admission import Admission
    from gateway.door.directory import Directory
    from gateway.door.upstream import Header, Reply
    from gateway.protocol.messages import ServerLimits
    from gateway.server.http.exchange import Exchange, Scope
    from gateway.server.http.front import OnLoop
    from gateway.server.telemetry.recorder import Recorder

ROUTE = "/v1/simulators/{name}/{path}"
"""The name of all passed requests together, in metrics."""

SPARE_S = 60.0
"""Seconds beyond those that a simulator may take by its own limits, after which nobody waits for it any more."""

LONGEST_RUN_S = 3600.0
"""Seconds that a simulator may take that does not state its limits."""

_PREFIX = b"/v1/simulators/"
_TARGET = re.compile(rb"/v1/simulators/(?P<name>[A-Za-z0-9_.-]{1,64})(?P<path>/[A-Za-z0-9_.~!$&'()*+,;=:@%/-]*)")
_QUERY = re.compile(rb"[!-\"$-;=?-~]*")
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
_JOB = re.compile(rb"/v1/jobs/[A-Za-z0-9_-]+")
_METHODS = frozenset({"GET", "HEAD", "POST", "DELETE"})
_READING = frozenset({"GET", "HEAD"})

_OPEN_TO_ALL = frozenset(row.path for row in endpoints.ENDPOINTS.values() if row.right is None)
"""Paths of a simulator that may be read without the right to run; a simulator may know nobody but the door."""

_PASSED_ON = frozenset({
    b"accept", b"accept-language", b"content-type", b"idempotency-key", b"if-none-match", b"traceparent", b"tracestate",
    b"user-agent",
})  # fmt: skip
"""The headers of a request that a simulator gets."""

_PASSED_BACK = frozenset({
    b"allow", b"cache-control", b"content-disposition", b"content-length", b"content-type", b"etag", b"retry-after",
})  # fmt: skip
"""The headers of an answer that a client gets."""

_HARMLESS: list[Header] = [
    (b"Content-Security-Policy", b"sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
    (b"Referrer-Policy", b"no-referrer"),
    (b"Cross-Origin-Resource-Policy", b"same-origin"),
]

log = logging.getLogger("gateway")


class Relay:
    """Passes requests below ``/v1/simulators/NAME/`` through. It belongs to the thread of the event loop.

    Args:
        directory: knows the simulators.
        admission: decides who is let in.
        limits: bounds that no request may exceed.
        telemetry: counts requests.
    """

    def __init__(
        self,
        directory: Directory,
        admission: Admission,
        limits: ServerLimits,
        telemetry: Recorder,
    ) -> None:
        self._directory = directory
        self._admission = admission
        self._limits = limits
        self._telemetry = telemetry

    def route(self, scope: Scope) -> OnLoop | None:
        """Return what answers a request, if it is for a simulator and has a method and a path that are passed on."""
        path: bytes = scope["raw_path"].partition(b"?")[0]
        if not path.startswith(_PREFIX) or scope["method"] not in _METHODS:
            return None
        match = _TARGET.fullmatch(path)
        if match is None or _leads_away(match["path"]) or not _QUERY.fullmatch(scope["query_string"]):
            return None
        return partial(self._answer, match["name"].decode(), match["path"])

    async def _answer(self, name: str, path: bytes, exchange: Exchange) -> Answer | None:
        """Pass a request through, and send the answer.

        Raises:
            GatewayError: the request is refused, or the simulator gives no answer.
        """
        scope = exchange.scope
        method, query, headers = scope["method"], scope["query_string"], dict(scope["headers"])
        caller = self._admission.admit(scope, headers)
        if method not in _READING or path.decode() not in _OPEN_TO_ALL:
            caller.demand(Right.RUN)
        upstream = self._directory.upstream(name)
        target = path + (b"?" + query if query else b"")
        with contextlib.closing(Body(exchange.bodies)) as body:
            await exchange.collect(body)
            if body.size < exchange.size:
                raise RequestError(f"the body ended after {body.size:,} of {exchange.size:,} bytes")
            exchange.connection.arrived()
            passed = [(key, value) for key, value in headers.items() if key in _PASSED_ON]
            passed += self._directory.headers_for(name, caller, headers.get(b"authorization"))
            request = Request(method, target, passed, body.size, body.open() if body.size else None)
            try:
                async with asyncio.timeout(self._patience_s(name)):
                    reply = await upstream.send(request)
            except UpstreamError as exc:
                raise self._failed(name, exc) from exc
            except TimeoutError:
                raise TransportTimeout(f"{name} did not answer within its own limits of time", url=name) from None
        with contextlib.closing(reply):
            self._telemetry.request_answered(ROUTE, reply.status)
            await self._pass_back(name, exchange, reply)
        return None

    def _patience_s(self, name: str) -> float:
        backend = self._directory.info(name).backend
        if backend is None:
            return LONGEST_RUN_S
        limits = backend.limits
        return max(limits.timeout_s + limits.max_wait_s, limits.max_poll_s) + SPARE_S

    async def _pass_back(self, name: str, exchange: Exchange, reply: Reply) -> None:
        """Send an answer on, at the pace of the client.

        Raises:
            TransportError: it is none.
            BrokenOffError: it is cut short.
        """
        headers = [(key, value) for key, value in reply.headers if key in _PASSED_BACK or _wants_token(key, value)]
        headers += [(key, _at_the_door(name, value)) for key, value in reply.headers if _is_job(key, value)]
        answer = Answer(reply.status, [*headers, *_HARMLESS])
        if reply.has_all:
            try:
                answer.body = await reply.whole(self._limits.max_result_bytes)
            except UpstreamError as exc:
                raise self._failed(name, exc) from exc
            await exchange.send_whole(answer)
            return
        try:
            await exchange.send_parts(answer, reply.parts())
        except UpstreamError as exc:
            log.warning("%s %s", name, exc)
            raise BrokenOffError from exc

    def _failed(self, name: str, error: UpstreamError) -> GatewayError:
        info = self._directory.info(name)
        return TransportError(info.reason or f"{name} {error}", url=name)


def _is_job(key: bytes, value: bytes) -> bool:
    """Say whether a header tells where a new job is; where else it may lead, is not passed on."""
    return key == b"location" and _JOB.fullmatch(value) is not None


def _wants_token(key: bytes, value: bytes) -> bool:
    """Say whether a header asks for a token; for a password, a browser would ask whoever has the page open."""
    return key == b"www-authenticate" and value.lower().split(b" ")[0] == b"bearer"


def _at_the_door(name: str, path: bytes) -> bytes:
    return _PREFIX + name.encode() + path


def _leads_away(path: bytes) -> bool:
    """Say whether a path has steps that lead upwards, or slashes that are written otherwise."""
    plain = unquote_to_bytes(path)
    steps = plain.replace(b"\\", b"/").split(b"/")
    is_rewritten = plain.count(b"/") != path.count(b"/")
    return b".." in steps or b"." in steps or is_rewritten or _CONTROL.search(plain) is not None
