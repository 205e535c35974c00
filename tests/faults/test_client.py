"""A client gives the right error when its server is gone, ends in the middle of a run, or is none of ours."""

from __future__ import annotations

import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.fake import Does, fake
from support.supervised import Supervised

from gateway.backends.client import BackendClient
from gateway.errors import BusyError, JobTimeout, TransportError, TransportTimeout
from gateway.jobs.manager import MAX_ATTEMPTS
from gateway.listener import bind
from gateway.protocol import endpoints
from gateway.protocol.messages import BackendInfo, JobInfo, JobProgress, RunRequest, encode
from gateway.results import Capabilities, JobState, ResultType

HTML = b"<html><body>It works!</body></html>"


@pytest.mark.parametrize("kill", ["kill_all", "kill_http", "kill_arbiter"])
def test_a_result_is_waited_for_through_a_restart_of_the_server(tmp_path: Path, kill: str):
    with Supervised(tmp_path / "jobs.sqlite", workers=2) as server, server.client() as client:
        jobs = [client.run_async(fake(Does.SLEEP, 2.5), shots=k + 1) for k in range(2)]
        found: dict[int, object] = {}
        waiting = [threading.Thread(target=lambda k=k: found.update({k: jobs[k].result(60)})) for k in range(2)]
        for thread in waiting:
            thread.start()
        server.wait_until_doing(Does.SLEEP, 2)
        getattr(server, kill)()
        server.start()
        for thread in waiting:
            thread.join(90)
    assert found == {0: {"00000010": 1}, 1: {"00000010": 2}}


def test_a_result_with_a_deadline_does_not_wait_longer_for_a_server_that_stays_away(tmp_path: Path):
    with Supervised(tmp_path / "jobs.sqlite", workers=2) as server, server.client() as client:
        job = client.run_async(fake(Does.SLEEP, 60))
        server.kill_all()
        with pytest.raises(JobTimeout, match=r"no result after 2 s.*cannot reach") as caught:
            job.result(2)
        assert isinstance(caught.value.__cause__, TransportError)


# ---------------------------------------------------------------------- servers that are none of ours

Behave = Callable[[socket.socket], None]


@contextmanager
def pretending(*behaviours: Behave) -> Iterator[tuple[BackendClient, list[bytes]]]:
    """A port where the n-th connection is treated as the n-th function says; and what was sent there."""
    sent: list[bytes] = []

    def serve() -> None:
        for behave in behaviours:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                sent.append(_request_on(connection))
                behave(connection)

    with bind("127.0.0.1", 0) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        with BackendClient(port=listener.getsockname()[1]) as client:
            yield client, sent
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(10)


def _request_on(connection: socket.socket) -> bytes:
    """Return a request whole: to close a connection with unread bytes in it resets it, and the answer may be lost."""
    with connection.makefile("rb") as file:
        head = b"".join(iter(file.readline, b"\r\n"))
        length = re.search(rb"(?i)^content-length: (\d+)", head, re.MULTILINE)
        return head + (file.read(int(length[1])) if length else b"")


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # close() sends RST


def close(connection: socket.socket) -> None:
    """Say nothing."""


def stall(connection: socket.socket) -> None:
    """Say nothing until the client has gone."""
    with suppress(ConnectionResetError):
        connection.recv(1)


def saying(body: bytes, *, status: str = "200 OK", length: int | None = None, then: Behave = close) -> Behave:
    """Answer, possibly with less than was announced."""
    head = (
        f"HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {len(body) if length is None else length}\r\n\r\n"
    )

    def behave(connection: socket.socket) -> None:
        connection.sendall(head.encode() + body)
        then(connection)

    return behave


def raw(text: bytes) -> Behave:
    return lambda connection: connection.sendall(text)


@pytest.mark.parametrize(
    ("behave", "message"),
    [
        (reset, "is the server running"),
        (close, "is the server running"),
        (raw(b"SSH-2.0-OpenSSH_9.6\r\n"), "is the server running"),
        (saying(HTML), "did not answer as a simulator gateway does"),
        (saying(b"{}"), "did not answer as a simulator gateway does"),
        (saying(b"", status="302 Found"), "answered 302 without a problem document"),
        (
            saying(HTML, status="404 Not Found"),
            "404 with a web page: what answers there is no simulator gateway",
        ),
        (
            saying(HTML, status="502 Bad Gateway"),
            "a web page: a proxy stands before the server, and cannot reach it",
        ),
        (saying(b'{"code": "busy"', length=500), "http"),
    ],
)
def test_what_answers_wrongly_is_named(behave: Behave, message: str):
    with pretending(behave) as (client, _), pytest.raises(TransportError, match=message) as caught:
        client.info()
    assert type(caught.value) is TransportError
    assert client.url in str(caught.value.url)


@pytest.mark.parametrize("behave", [stall, saying(b"{", length=500, then=stall)], ids=["before", "in the middle"])
def test_what_does_not_answer_in_time_is_a_timeout(behave: Behave):
    with pretending(behave) as (client, _), pytest.raises(TransportTimeout, match=r"within 0\.3 s"):
        client._transport.call(BackendInfo, endpoints.BACKEND, 0.3)


def test_nobody_there_is_said():
    with bind("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
    with BackendClient(port=port) as client:
        for ask in (client.status, client.jobs, lambda: client.run(fake()), lambda: client.job("x")):
            with pytest.raises(TransportError, match="is the server running"):
                ask()


ACCEPTED = encode(
    JobInfo(
        id="abc",
        state=JobState.QUEUED,
        is_list=False,
        progress=JobProgress(0, 1),
        created_at=datetime(2025, 1, 1, tzinfo=UTC),
    )
)


def test_a_job_is_sent_again_under_the_same_key_when_the_connection_breaks():
    broken = [reset, close, saying(ACCEPTED[:20], length=len(ACCEPTED))]
    with pretending(*broken, saying(ACCEPTED, status="202 Accepted")) as (client, sent):
        assert client.run_async(fake()).id == "abc"
    keys = {line for one in sent for line in one.split(b"\r\n") if line.lower().startswith(b"idempotency-key:")}
    assert len(sent) == 4
    assert len(keys) == 1


def test_a_job_under_a_key_of_the_callers_is_the_same_job_in_every_process(tmp_path: Path):
    with Supervised(tmp_path / "jobs.sqlite", workers=2) as server:
        ids = set()
        for _ in range(MAX_ATTEMPTS - 1):  # each kill may hit the run, and the last attempt must not be hit
            with server.client() as client:
                ids.add(client.begin(_request(), key="mine").id)
            server.kill_all()
            server.start()
        with server.client() as client:
            ids.add(client.begin(_request(), key="mine").id)
            assert client.job(ids.pop()).result(30) == {"00000110": 4}
            assert len(client.jobs()) == 1
    assert not ids


def _request():
    return RunRequest(circuits=fake(amount=6), shots=4)


def test_a_run_is_never_sent_twice():
    info = saying(encode(_info()))
    with pretending(info, reset) as (client, sent), pytest.raises(TransportError, match="is the server running"):
        client.run(fake())
    assert [one.partition(b" HTTP")[0] for one in sent] == [b"GET /v1/backend", b"POST /v1/run"]


def test_a_server_that_is_stopping_says_when_to_come_back():
    busy = b'{"code": "busy", "detail": "the server is stopping", "retry_after_s": 1.0}'
    with (
        pretending(saying(busy, status="503 Busy")) as (client, _),
        pytest.raises(BusyError, match="stopping") as caught,
    ):
        client.run_async(fake())
    assert caught.value.retry_after_s == 1.0


def _info() -> BackendInfo:
    able = Capabilities(result_types=(ResultType.COUNTS,))
    return BackendInfo(name="fake", version="1", gateway_version="1", capabilities=able, gates=[], native_gates=[])
