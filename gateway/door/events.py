"""Streams of server-sent events about comparisons: hundreds of them may be open, and none holds a thread."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

from gateway.errors import BusyError, RequestError
from gateway.protocol.door import EVENTS, ComparisonInfo
from gateway.protocol.messages import encode
from gateway.server.access.fair_places import FairPlaces
from gateway.server.http.wsgi import Answer

if TYPE_CHECKING:
    from gateway.door.admission import Admission
    from gateway.door.comparisons.active import Subscription
    from gateway.door.comparisons.manager import Comparisons
    from gateway.jobs.manager import Caller
    from gateway.server.http.exchange import Exchange, Scope
    from gateway.server.http.front import OnLoop
    from gateway.server.telemetry.recorder import Recorder

SUBSCRIBING_THREADS = 4
"""Threads that find comparisons, which the event loop must not wait for."""

SILENCE_S = 15.0
"""Seconds after which a line that says nothing is sent, so that a proxy does not take the connection for dead."""

_PATH = re.compile(EVENTS.path.replace("{comparison_id}", r"(?P<id>[A-Za-z0-9_-]{1,64})"))
_OK = 200
_HEADERS = [
    (b"Content-Type", b"text/event-stream"),
    (b"Cache-Control", b"no-store"),
    (b"X-Accel-Buffering", b"no"),
]


class EventStreams:
    """Answers ``GET /v1/comparisons/{id}/events``. It belongs to the thread of the event loop.

    Args:
        comparisons: tells of their changes.
        admission: decides who is let in.
        telemetry: counts requests.
        most: how many streams one caller alone may have open.
    """

    def __init__(self, comparisons: Comparisons, admission: Admission, telemetry: Recorder, most: int) -> None:
        self._comparisons = comparisons
        self._admission = admission
        self._telemetry = telemetry
        self._threads = ThreadPoolExecutor(SUBSCRIBING_THREADS, "gateway-events")
        self._places = FairPlaces(most)
        self._open: set[_Stream] = set()
        self._is_closed = False

    def __len__(self) -> int:
        """Return how many streams are open."""
        return len(self._open)

    def route(self, scope: Scope) -> OnLoop | None:
        """Return what answers a request, if it is for a stream of events."""
        match = _PATH.fullmatch(scope["path"]) if scope["method"] == "GET" else None
        return None if match is None else partial(self._answer, match["id"])

    def close(self) -> None:
        """End all streams: their readers ask the next door."""
        self._is_closed = True
        for stream in self._open:
            stream.end()

    async def _answer(self, comparison_id: str, exchange: Exchange) -> None:
        """Send the events of a comparison until it has ended.

        Raises:
            GatewayError: the request is refused.
        """
        caller = self._admission.admit(exchange.scope, dict(exchange.scope["headers"]))
        if exchange.size:
            raise RequestError("events are for requests without a body")
        exchange.connection.arrived()
        with self._places.place(caller.name) as has_place:
            if not has_place or self._is_closed:
                raise BusyError(
                    "as many streams of events are open as may: ask with wait_s, or try again", retry_after_s=2.0
                )
            await self._stream(comparison_id, caller, exchange)

    async def _stream(self, comparison_id: str, caller: Caller, exchange: Exchange) -> None:
        stream = _Stream(asyncio.get_running_loop())
        subscribing = self._threads.submit(
            self._comparisons.subscribe, comparison_id, caller, stream.take_in_any_thread
        )
        self._open.add(stream)
        try:
            await asyncio.wrap_future(subscribing)
            self._telemetry.request_answered(EVENTS.path, _OK)
            await exchange.send_parts(Answer(_OK, _HEADERS), stream.parts())
        finally:
            self._open.discard(stream)
            subscribing.add_done_callback(_unsubscribe)  # its client may have left before


def _unsubscribe(subscribing: Future[Subscription]) -> None:
    if not subscribing.cancelled() and subscribing.exception() is None:
        subscribing.result().close()


class _Stream:
    """What one reader has still to be told; of several changes only the last."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._latest: ComparisonInfo | None = None
        self._number = 0
        self._news = asyncio.Event()
        self._is_ended = False

    def take_in_any_thread(self, info: ComparisonInfo) -> None:
        """Take a change."""
        with contextlib.suppress(RuntimeError):  # the loop has ended, and so does the process
            self._loop.call_soon_threadsafe(self._take, info)

    def _take(self, info: ComparisonInfo) -> None:
        self._latest = info
        self._news.set()

    def end(self) -> None:
        """Tell nothing more."""
        self._is_ended = True
        self._news.set()

    async def parts(self) -> AsyncIterator[bytes]:
        """Return the events, until the comparison has ended."""
        yield b"retry: 1000\n\n"
        while not self._is_ended:
            try:
                async with asyncio.timeout(SILENCE_S):
                    await self._news.wait()
            except TimeoutError:
                yield b": \n\n"
                continue
            self._news.clear()
            info, self._latest = self._latest, None
            if info is None:
                continue
            self._number += 1
            yield b"id: %d\ndata: %b\n\n" % (self._number, encode(info))
            if info.state.is_final:
                return
