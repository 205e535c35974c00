"""Clients that take their time have it, up to a limit, and cost nobody else anything."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

import pytest
from support.doors import WAYS, reached
from support.fake import Does, fake
from support.raw import run_body
from support.serving import Served, statuses
from support.waiting import wait_until

ARRIVAL_S = 2.0


@pytest.fixture(scope="module", params=WAYS)
def server(request: pytest.FixtureRequest) -> Iterator[Served]:
    """A server whose requests have to arrive within two seconds."""
    with reached(request.param, "--limit", f"max_arrival_s={ARRIVAL_S}") as served:
        yield served


BODY = run_body()
HEAD = b"POST /v1/run HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n" % len(
    BODY
)
SLOW = {
    "says nothing": b"",
    "stops in the request line": b"POST /v1/r",
    "stops in the headers": HEAD,
    "stops before the body": HEAD + b"\r\n",
    "stops in the body": HEAD + b"\r\n" + BODY[:-1],
    "stops in a chunk": HEAD.replace(b"Content-Length: %d" % len(BODY), b"Transfer-Encoding: chunked")
    + b"\r\nfff\r\nx",
}


@contextlib.contextmanager
def connections(server: Served, number: int, data: bytes) -> Iterator[list[socket.socket]]:
    with contextlib.ExitStack() as stack:
        opened = [stack.enter_context(socket.create_connection((server.host, server.port), 30)) for _ in range(number)]
        for each in opened:
            each.sendall(server.addressed(data))
        yield opened


@pytest.fixture(scope="module", params=WAYS)
def patient_server(request: pytest.FixtureRequest) -> Iterator[Served]:
    """A server that waits an hour for a request to arrive: whoever had to wait for it would not be answered in time."""
    with reached(request.param, "--limit", "max_arrival_s=3600") as served:
        yield served


@pytest.mark.parametrize("name", SLOW)
def test_others_are_answered_while_two_hundred_clients_take_their_time(patient_server: Served, name: str):
    with connections(patient_server, 200, SLOW[name]):
        for _ in range(3):
            answers = [patient_server.request("GET", "/healthz"), patient_server.run(run_body())]
            assert [answer.status for answer in answers] == [200, 200]


def test_a_few_slow_clients_have_the_time_that_the_limit_says(patient_server: Served, server: Served):
    with connections(patient_server, 10, HEAD + b"\r\n" + BODY[:-1]) as slow:
        for _ in range(2):  # meanwhile another server breaks off what takes as long as a crowd has, twice
            with connections(server, 1, HEAD) as (hasty,):
                _read_to_the_end(hasty)
        for each in slow:
            each.sendall(BODY[-1:])
            assert statuses(each.recv(2**16)) == [200]


@pytest.mark.parametrize("name", [name for name in SLOW if "nothing" not in name])
def test_a_request_that_does_not_arrive_is_broken_off_and_not_run(server: Served, name: str):
    ran = _runs(server)
    with connections(server, 1, SLOW[name]) as (slow,):
        answer = _read_to_the_end(slow)
    assert not [status for status in statuses(answer) if status < 400], answer
    assert _runs(server) == ran


@pytest.mark.parametrize("drip", ["headers", "body"])
def test_a_byte_now_and_then_is_no_way_around(server: Served, drip: str):
    head = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: " if drip == "headers" else HEAD + b"\r\n"
    with connections(server, 1, head) as (slow,):
        wait_until(lambda: _is_refused(slow, b" "), "the end of a connection on which a byte comes now and then")


def test_a_client_that_hangs_up_during_its_run_harms_nobody(server: Served):
    body = run_body(fake(Does.WAIT))
    head = HEAD.replace(b"Content-Length: %d" % len(BODY), b"Content-Length: %d" % len(body))
    with connections(server, 2, head + b"\r\n" + body):
        server.wait_until_doing(Does.WAIT, 2)
    server.let_go()
    assert server.run(run_body()).status == 200


def test_a_request_that_waits_for_its_run_is_not_broken_off(server: Served):
    assert server.run(run_body(fake(Does.SLEEP, ARRIVAL_S + 1.5))).status == 200


def _runs(server: Served) -> str:
    metrics = server.request("GET", "/metrics").body.decode()
    return next(
        (line for line in metrics.splitlines() if line.startswith('gateway_runs_total{kind="run",outcome="ok"}')), ""
    )


def _is_refused(connection: socket.socket, data: bytes) -> bool:
    try:
        connection.sendall(data)
    except (BrokenPipeError, ConnectionResetError):
        return True
    return False


def _read_to_the_end(connection: socket.socket) -> bytes:
    parts = []
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(2**16):
            parts.append(part)
    return b"".join(parts)
