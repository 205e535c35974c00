"""What the door takes for an answer of a simulator, from servers that write whatever a test tells them to."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import io
import weakref
from collections.abc import AsyncIterator, Coroutine, Iterator
from typing import Any

import pytest

from gateway.door import upstream as module
from gateway.door.upstream import Request, Upstream, UpstreamError, ask

GET = Request("GET", b"/healthz")
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: 1\r\n\r\nhi"


class Server:
    """Answers each request with the next of some bytes, and keeps what it was sent."""

    def __init__(self, *answers: bytes, closes: bool = False) -> None:
        self.answers = list(answers)
        self.closes = closes
        self.requests: list[bytes] = []
        self.connections = 0
        self._writers: list[asyncio.StreamWriter] = []

    @contextlib.asynccontextmanager
    async def serving(self, prefix: str = "") -> AsyncIterator[Upstream]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        upstream = Upstream(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}{prefix}")
        async with server:
            yield upstream
            upstream.close()
            for writer in self._writers:
                writer.transport.abort()
            await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while self.answers:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next((int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"content-length")), 0)
                self.requests.append(head + await reader.readexactly(length))
                writer.write(self.answers.pop(0))
                await writer.drain()
                if self.closes:
                    break
        writer.close()


@pytest.fixture
def without_collections() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(test)


async def body_of(upstream: Upstream, request: Request = GET) -> bytes:
    return (await ask(upstream, request, within_s=10, most_bytes=2**20))[1]


def test_a_request_is_sent_with_its_own_framing_and_the_prefix_of_the_address():
    async def test() -> None:
        server = Server(WHOLE)
        async with server.serving("/lab") as upstream:
            request = Request("POST", b"/v1/run?a=1", [(b"accept", b"*/*")], 4, io.BytesIO(b"body"))
            head, body = await ask(upstream, request, within_s=10, most_bytes=100)
            assert (head.status, body, head.headers) == (200, b"hi", [(b"content-length", b"2"), (b"x-a", b"1")])
            (sent,) = server.requests
            lines = sent.split(b"\r\n")
            assert lines[0] == b"POST /lab/v1/run?a=1 HTTP/1.1"
            assert lines[1].startswith(b"host: 127.0.0.1:")
            assert lines[2:] == [b"accept: */*", b"content-length: 4", b"", b"body"]

    run(test())


def test_a_connection_is_kept_for_the_next_request():
    async def test() -> None:
        server = Server(WHOLE, WHOLE, WHOLE)
        async with server.serving() as upstream:
            for _ in range(3):
                assert await body_of(upstream) == b"hi"
            assert server.connections == 1

    run(test())


def test_chunks_become_a_body():
    async def test() -> None:
        chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
        async with Server(chunks, WHOLE).serving() as upstream:
            assert await body_of(upstream) == b"abcde"
            assert await body_of(upstream) == b"hi"

    run(test())


def test_the_answer_to_head_has_a_length_and_no_body():
    async def test() -> None:
        async with Server(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n", WHOLE).serving() as upstream:
            head, body = await ask(upstream, Request("HEAD", b"/"), within_s=10, most_bytes=100)
            assert (head.headers, body) == ([(b"content-length", b"50")], b"")

    run(test())


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "no HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi!", "no HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", "no HTTP"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", "not chunked alone"),
        (b"HTTP/1.1 200 OK\r\n\r\nhi", "does not state the length"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nhi", "no HTTP"),
        (b"HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 2\r\n\r\nhi", "no HTTP"),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n", "status 101"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + WHOLE, "status 100"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"a" * (module.MOST_HEAD_BYTES + 2 * module.PIECE_BYTES), "too long a head"),
        (b"", "closes the connection"),
        (b"HTTP/1.1 200", "at the beginning"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi", "in the middle"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "in the middle"),
    ],
)
def test_what_is_no_answer_is_refused(answer: bytes, why: str):
    async def test() -> None:
        async with Server(answer, closes=True).serving() as upstream:
            with pytest.raises(UpstreamError, match=why):
                await body_of(upstream)

    run(test())


def test_what_follows_an_answer_belongs_to_nobody():
    async def test() -> None:
        server = Server(WHOLE + WHOLE, WHOLE)
        async with server.serving() as upstream:
            with contextlib.suppress(UpstreamError):
                await body_of(upstream)
            assert await body_of(upstream) == b"hi"
            assert server.connections == 2

    run(test())


def test_a_connection_that_the_server_has_closed_meanwhile_is_replaced_for_requests_that_may_repeat():
    async def test() -> None:
        server = Server(WHOLE, WHOLE, closes=True)
        async with server.serving() as upstream:
            assert await body_of(upstream) == b"hi"
            assert await body_of(upstream) == b"hi"
            assert server.connections == 2

    run(test())


def test_a_server_that_says_so_gets_no_second_request_on_a_connection():
    async def test() -> None:
        server = Server(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi", WHOLE)
        async with server.serving() as upstream:
            await body_of(upstream)
            assert await body_of(upstream) == b"hi"
            assert server.connections == 2

    run(test())


@pytest.mark.parametrize("may_repeat", [True, False])
def test_a_request_that_must_not_arrive_twice_is_not_sent_again(may_repeat: bool):
    async def test() -> None:
        server = Server(WHOLE, b"", WHOLE)
        async with server.serving() as upstream:
            await body_of(upstream)
            server.closes = True  # it takes the second request on the kept connection, and closes without an answer
            headers = [(b"idempotency-key", b"k")] if may_repeat else []
            request = Request("POST", b"/v1/jobs", headers)
            if may_repeat:
                assert await body_of(upstream, request) == b"hi"
                assert len(server.requests) == 3
            else:
                with pytest.raises(UpstreamError, match="without an answer"):
                    await body_of(upstream, request)
                assert len(server.requests) == 2

    run(test())


def test_a_client_that_takes_nothing_makes_the_server_wait():
    async def test() -> None:
        size = 50 * module.HIGH_WATER_BYTES
        async with Server(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size).serving() as upstream:
            reply = await upstream.send(GET)
            connection = reply._connection
            while not connection._is_paused:  # noqa: ASYNC110 - asyncio tells nobody
                await asyncio.sleep(0)
            assert connection._answer.waiting_bytes < size / 2
            assert sum([len(part) async for part in reply.parts()]) == size
            reply.close()

    run(test())


def test_an_answer_that_nobody_takes_leaves_nothing_behind(without_collections: None):
    async def test() -> None:
        server = Server(b"HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n" + bytes(9_000_000))
        async with server.serving() as upstream:
            reply = await upstream.send(GET)
            assert await anext(reply.parts())
            connection = weakref.ref(reply._connection)
            reply.close()
            del reply
            for _ in range(10):
                await asyncio.sleep(0)
            assert connection() is None

    run(test())


def test_nobody_there_and_nobody_who_answers_in_time():
    async def test() -> None:
        server = await asyncio.start_server(_silent, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server:
            with pytest.raises(UpstreamError, match=r"does not answer within 0\.1 s"):
                await ask(Upstream(f"http://127.0.0.1:{port}"), GET, within_s=0.1, most_bytes=10)
        with pytest.raises(UpstreamError, match="connection refused"):
            await body_of(Upstream(f"http://127.0.0.1:{port}"))

    run(test())


async def _silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


def test_an_answer_may_not_be_larger_than_it_is_let():
    async def test() -> None:
        async with Server(WHOLE).serving() as upstream:
            with pytest.raises(UpstreamError, match="more than 1 bytes"):
                await ask(upstream, GET, within_s=10, most_bytes=1)

    run(test())


def test_a_request_that_is_sent_again_has_its_whole_body():
    async def test() -> None:
        body = b"0123456789" * (module.PIECE_BYTES // 5)  # more than one piece
        server = Server(WHOLE, WHOLE)
        async with server.serving() as upstream:
            request = Request("POST", b"/v1/jobs", [(b"idempotency-key", b"k")], len(body), io.BytesIO(body))
            assert await body_of(upstream, request) == b"hi"
            assert await body_of(upstream, request) == b"hi"
            assert [sent.partition(b"\r\n\r\n")[2] == body for sent in server.requests] == [True, True]

    run(test())


def test_an_answer_that_comes_before_all_was_sent_is_taken():
    async def test() -> None:
        async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            with contextlib.suppress(ConnectionError):
                await reader.read()
            writer.transport.abort()
            gone.set()

        gone = asyncio.Event()
        size = 64 * module.PIECE_BYTES
        server = await asyncio.start_server(refuse, "127.0.0.1", 0)
        async with server:
            upstream = Upstream(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
            request = Request("POST", b"/", (), size, io.BytesIO(bytes(size)))
            head, _ = await ask(upstream, request, within_s=10, most_bytes=10)
            assert head.status == 413
            upstream.close()
            await gone.wait()

    run(test())


def test_an_answer_that_falls_silent_is_given_up(monkeypatch: pytest.MonkeyPatch):
    async def test() -> None:
        monkeypatch.setattr(module, "SILENCE_S", 0.05)
        async with Server(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi", WHOLE).serving() as upstream:
            with pytest.raises(UpstreamError, match="falls silent in the middle"):
                await body_of(upstream)
            assert await body_of(upstream) == b"hi", "on another connection"

    run(test())
