"""Connections from the door to the server of a simulator, kept open from one request to the next.

The answers are read by llhttp, which refuses what two readers could take for different things; what it would still let
through is refused here. They may come from somebody else's server.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast
from urllib.parse import urlsplit

import httptools

Header = tuple[bytes, bytes]

CONNECT_S = 5.0
"""Seconds within which a simulator has to take a connection."""

IDLE_S = 30.0
"""Seconds for which a connection is kept without a request; the servers themselves close theirs after 75."""

MOST_IDLE = 64
"""Connections to one simulator that are kept without a request."""

MOST_HEAD_BYTES = 64 * 1024
"""The bytes of an answer's head."""

SILENCE_S = 60.0
"""Seconds between two pieces of an answer, which simulators send when they have all of it."""

HIGH_WATER_BYTES = 2**18
"""So many bytes of an answer wait at most in the door for a client that takes them slowly."""

PIECE_BYTES = 2**18

_RESET = struct.pack("ii", 1, 0)
"""The option of a socket by which its connection is reset when it closes."""

_INTERIM, _NO_CONTENT, _NOT_MODIFIED = 200, 204, 304


class UpstreamError(Exception):
    """A simulator gives no answer, or one that is no HTTP; the text ends a sentence that begins with its name."""


class _StaleError(UpstreamError):
    """A kept connection was closed by the other side before a byte of the answer came."""


@dataclass(slots=True)
class Head:
    """The beginning of an answer.

    Args:
        status: the status of HTTP.
        headers: its headers, with names in lower case.
    """

    status: int
    headers: list[Header]


@dataclass(slots=True)
class Request:
    """A request to a simulator.

    Args:
        method: the method of HTTP.
        target: path and query, as they are sent.
        headers: beside ``Host`` and ``Content-Length``.
        size: the bytes of the body.
        body: the body, ``None`` if there is none.
    """

    method: str
    target: bytes
    headers: Sequence[Header] = ()
    size: int = 0
    body: IO[bytes] | None = None

    @property
    def may_repeat(self) -> bool:
        """Whether it does no harm if it arrives twice."""
        return self.method in {"GET", "HEAD"} or any(name == b"idempotency-key" for name, _ in self.headers)


class Reply:
    """An answer whose body is still to be read; close it, whether it was read or not."""

    def __init__(self, upstream: Upstream, connection: _Connection, head: Head) -> None:
        self._upstream = upstream
        self._connection = connection
        self.status = head.status
        self.headers = head.headers

    @property
    def has_all(self) -> bool:
        """Whether the whole body has arrived."""
        return self._connection.has_all

    async def parts(self) -> AsyncIterator[bytes]:
        """Return the body, piece by piece.

        Raises:
            UpstreamError: the answer is cut short.
        """
        while (piece := await self._connection.read()) is not None:
            yield piece

    async def whole(self, most_bytes: int) -> bytes:
        """Return the whole body.

        Raises:
            UpstreamError: it is cut short, or has more bytes than that.
        """
        pieces, size = [], 0
        async for piece in self.parts():
            pieces.append(piece)
            size += len(piece)
            if size > most_bytes:
                raise UpstreamError(f"sends more than {most_bytes:,} bytes")
        return b"".join(pieces)

    def close(self) -> None:
        """Keep the connection for the next request or, if there is more on it, end it."""
        self._upstream.give_back(self._connection)


class Upstream:
    """The server of one simulator. It belongs to the thread of the event loop.

    Args:
        url: its base URL, ``http://cirq:8083`` or ``https://lab.example/qulacs``.
        certificates: a file or folder of certificates that are trusted instead of the system's.
    """

    def __init__(self, url: str, certificates: str | None = None) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._prefix = parts.path.rstrip("/").encode()
        self._host_header = parts.netloc.rpartition("@")[2].encode()
        self._tls = _context(certificates) if parts.scheme == "https" else None
        self._idle: deque[_Connection] = deque()

    async def send(self, request: Request) -> Reply:
        """Send a request, and return the answer once its head has come.

        Raises:
            UpstreamError: there is none.
        """
        loop = asyncio.get_running_loop()
        while (connection := self._kept(loop.time())) is not None:
            try:
                return await self._exchange(connection, request)
            except _StaleError:
                if not request.may_repeat:
                    raise
        return await self._exchange(await self._open(), request)

    def give_back(self, connection: _Connection) -> None:
        """Keep a connection on which an answer has been read whole; end any other."""
        if connection.is_reusable and len(self._idle) < MOST_IDLE:
            connection.idle_since = asyncio.get_running_loop().time()
            self._idle.append(connection)
        else:
            connection.end()

    def close(self) -> None:
        """End all connections that are kept."""
        while self._idle:
            self._idle.pop().end()

    def _kept(self, now: float) -> _Connection | None:
        """Return the connection that was used last; those that are too old are ended."""
        while self._idle and self._idle[0].idle_since + IDLE_S < now:
            self._idle.popleft().end()
        while self._idle:
            connection = self._idle.pop()
            if connection.is_reusable:
                return connection
            connection.end()
        return None

    async def _open(self) -> _Connection:
        loop = asyncio.get_running_loop()
        server_hostname = self._host if self._tls is not None else None
        try:
            async with asyncio.timeout(CONNECT_S):
                _, connection = await loop.create_connection(
                    _Connection, self._host, self._port, ssl=self._tls, server_hostname=server_hostname
                )
        except TimeoutError:
            raise UpstreamError(f"takes no connection within {CONNECT_S:g} s") from None
        except (OSError, UnicodeError) as exc:
            raise UpstreamError(f"does not answer ({_why(exc)})") from exc
        return connection

    async def _exchange(self, connection: _Connection, request: Request) -> Reply:
        try:
            head = await connection.exchange(self._head_of(request), request)
        except BaseException:
            connection.end()
            raise
        return Reply(self, connection, head)

    def _head_of(self, request: Request) -> bytes:
        lines = [b"%s %s%s HTTP/1.1" % (request.method.encode(), self._prefix, request.target)]
        lines.append(b"host: " + self._host_header)
        lines += [name + b": " + value for name, value in request.headers]
        if request.size or request.method == "POST":
            lines.append(b"content-length: %d" % request.size)
        return b"\r\n".join([*lines, b"", b""])


@dataclass(slots=True)
class _Answer:
    """What has been read of an answer.

    Args:
        head: its head, once all of that has come.
        pieces: what has come of its body and was not taken yet.
        waiting_bytes: the bytes of these pieces.
        is_whole: whether all of it has come.
        error: why no more comes.
    """

    status: int = 0
    headers: list[Header] = field(default_factory=list)
    has_head: bool = False
    pieces: deque[bytes] = field(default_factory=deque)
    waiting_bytes: int = 0
    is_whole: bool = False
    error: UpstreamError | None = None


class _Connection(asyncio.Protocol):
    """One connection to a simulator, which carries one request after the other."""

    def __init__(self) -> None:
        self.idle_since = 0.0
        self._parser: httptools.HttpResponseParser | None = None
        self._answer = _Answer(is_whole=True)
        self._is_head = False
        self._is_open = True
        self._is_paused = False
        self._head_bytes = 0
        self._news: asyncio.Future[None] | None = None
        self._drained: asyncio.Future[None] | None = None

    # ------------------------------------------------------------------ what the pool calls

    @property
    def has_all(self) -> bool:
        """Whether an answer has been read from the connection whole."""
        return self._answer.is_whole

    @property
    def is_reusable(self) -> bool:
        """Whether another request can be sent."""
        return self._is_open and self._answer.is_whole and self._answer.error is None and not self._answer.pieces

    async def exchange(self, head: bytes, request: Request) -> Head:
        """Send a request, and return the head of the answer.

        Raises:
            UpstreamError: there is none.
        """
        self._parser = httptools.HttpResponseParser(self)
        self._answer, self._is_head, self._head_bytes = _Answer(), request.method == "HEAD", 0
        self._transport.write(head)
        if request.body is not None:
            request.body.seek(0)  # an earlier connection may have taken a part of it
            while self._is_open and (piece := request.body.read(PIECE_BYTES)):
                self._transport.write(piece)
                await self._until_drained()
        while not self._answer.has_head:
            if self._answer.error is not None:
                raise self._answer.error
            await self._until_news()
        return Head(self._answer.status, self._answer.headers)

    async def read(self) -> bytes | None:
        """Return what has come of the body since the last call; ``None`` at its end.

        Raises:
            UpstreamError: it is cut short.
        """
        answer = self._answer
        while not answer.pieces:
            if answer.error is not None:
                raise answer.error
            if answer.is_whole:
                return None
            try:
                async with asyncio.timeout(SILENCE_S):
                    await self._until_news()
            except TimeoutError:
                raise UpstreamError("falls silent in the middle of its answer") from None
        piece = answer.pieces[0] if len(answer.pieces) == 1 else b"".join(answer.pieces)
        answer.pieces.clear()
        answer.waiting_bytes = 0
        if self._is_paused:
            self._is_paused = False
            self._transport.resume_reading()
        return piece

    def end(self) -> None:
        """End the connection at once, and with it the run whose answer is on it, if it has not come whole."""
        if self._is_open and not self._answer.is_whole:
            self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._is_open = False
        self._transport.abort()
        self._parser = None  # which knows this connection, too: what is left shall not wait for a collection of garbage
        self._answer.pieces.clear()

    async def _until_news(self) -> None:
        self._news = asyncio.get_running_loop().create_future()
        await self._news

    async def _until_drained(self) -> None:
        if self._drained is not None:
            await self._drained

    # ------------------------------------------------------------------ what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Read a part of an answer."""
        answer = self._answer
        if self._parser is None or answer.is_whole or answer.error is not None:
            self.end()  # nobody asked for it
            return
        if not answer.has_head:
            self._head_bytes += len(data)
            if self._head_bytes > MOST_HEAD_BYTES + PIECE_BYTES:
                self._fail("sends too long a head")
                return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._fail("would speak another protocol")
        except httptools.HttpParserCallbackError as exc:
            self._fail(str(exc.__context__ or exc))
        except httptools.HttpParserError:
            self._fail("answers with something that is no HTTP")
        if answer.waiting_bytes > HIGH_WATER_BYTES and not self._is_paused and self._is_open:
            self._is_paused = True
            self._transport.pause_reading()
        self._tell()

    def eof_received(self) -> None:
        """Close this side, too."""

    def connection_lost(self, _: Exception | None) -> None:
        """Say what is missing."""
        self._is_open = False
        answer = self._answer
        if not answer.is_whole and answer.error is None:
            if answer.has_head:
                answer.error = UpstreamError("breaks off in the middle of its answer")
            elif self._head_bytes:
                answer.error = UpstreamError("breaks off at the beginning of its answer")
            else:
                answer.error = _StaleError("closes the connection without an answer")
        self._tell()
        self.resume_writing()

    def pause_writing(self) -> None:
        """Have the sender of a large request wait."""
        self._drained = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        """Have the sender of a large request go on."""
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)
        self._drained = None

    # ------------------------------------------------------------------ what llhttp calls

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        self._answer.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Check the head."""
        answer = self._answer
        if answer.has_head or answer.is_whole:
            raise UpstreamError("sends more than one answer")
        assert self._parser is not None  # noqa: S101 - it calls
        answer.status = self._parser.get_status_code()
        if answer.status < _INTERIM:
            raise UpstreamError(f"answers with the status {answer.status}")
        _check_framing(answer, is_head=self._is_head)
        answer.has_head = True
        if self._is_head:
            answer.is_whole, self._is_open = True, False  # its length is that of a body that does not come

    def on_body(self, piece: bytes) -> None:
        """Take a piece of the body."""
        self._answer.pieces.append(piece)
        self._answer.waiting_bytes += len(piece)

    def on_message_complete(self) -> None:
        """Take note of the end."""
        assert self._parser is not None  # noqa: S101 - it calls
        self._answer.is_whole = True
        self._is_open = self._is_open and self._parser.should_keep_alive()

    def _fail(self, why: str) -> None:
        self._answer.error = UpstreamError(why)
        self.end()

    def _tell(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)


def _check_framing(answer: _Answer, *, is_head: bool) -> None:
    """Refuse an answer of which two readers might see different ends.

    Raises:
        UpstreamError: it is one, or only the end of the connection would tell its end.
    """
    names = [name for name, _ in answer.headers]
    lengths, encodings = names.count(b"content-length"), names.count(b"transfer-encoding")
    if lengths + encodings > 1:
        raise UpstreamError("states the length of its answer twice")
    if encodings and dict(answer.headers)[b"transfer-encoding"].strip().lower() != b"chunked":
        raise UpstreamError("sends its answer in another encoding than chunks, or not chunked alone")
    if not (lengths or encodings or is_head or answer.status in {_NO_CONTENT, _NOT_MODIFIED}):
        raise UpstreamError("does not state the length of its answer")


def _context(certificates: str | None) -> ssl.SSLContext:
    if certificates is None:
        return ssl.create_default_context()
    path = Path(certificates)
    return ssl.create_default_context(
        cafile=None if path.is_dir() else certificates, capath=certificates if path.is_dir() else None
    )


def _why(error: Exception) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate cannot be trusted: {error.verify_message}"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


async def ask(upstream: Upstream, request: Request, *, within_s: float, most_bytes: int) -> tuple[Head, bytes]:
    """Send a small request, and return its whole answer.

    Raises:
        UpstreamError: there is none within the time, or it is too large.
    """
    try:
        async with asyncio.timeout(within_s):
            reply = await upstream.send(request)
            with contextlib.closing(reply):
                return Head(reply.status, reply.headers), await reply.whole(most_bytes)
    except TimeoutError:
        raise UpstreamError(f"does not answer within {within_s:g} s") from None
