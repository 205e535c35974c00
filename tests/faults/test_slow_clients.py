"""Clients that send half a request, close half a connection, or never read, hold up nobody but themselves."""

from __future__ import annotations

import itertools
import json
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from support.fake import TARGET, Does, fake
from support.raw import Server, run_body
from support.supervised import environment
from support.waiting import wait_until

from gateway.backends.client import BackendClient
from gateway.backends.process import ServerProcess
from gateway.protocol.messages import ServerLimits

SLOW = 100
MAX_ARRIVAL_S = 10.0

HEAD = b"POST /v1/run HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    limits = ServerLimits(max_arrival_s=MAX_ARRIVAL_S)
    process = ServerProcess(target=TARGET, workers=2, limits=limits)
    process.start()
    yield Server(process)
    process.stop()


def connection(port: int, receive_bytes: int | None = None) -> socket.socket:
    sock = socket.socket()
    if receive_bytes is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)  # before it connects
    sock.settimeout(60)
    sock.connect(("127.0.0.1", port))
    return sock


def request(body: bytes) -> bytes:
    return HEAD % len(body) + b"\r\n" + body


def is_open(sock: socket.socket) -> bool:
    """Say whether the other end has neither answered nor closed."""
    sock.setblocking(False)
    try:
        sock.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return True
    except ConnectionError:
        return False
    finally:
        sock.settimeout(60)
    return False


def received(sock: socket.socket) -> bytes:
    """Return all that comes until the end."""
    found = b""
    try:
        while chunk := sock.recv(2**16):
            found += chunk
    except ConnectionResetError:
        pass
    return found


@pytest.mark.parametrize("half", ["of the head", "of the body"])
def test_half_sent_requests_keep_nobody_from_being_answered_and_are_broken_off(server: Server, half: str):
    whole = request(run_body())
    sent = whole[:40] if half == "of the head" else whole[:-10]
    with ExitStack() as stack, server.client() as client:
        slow = [stack.enter_context(connection(server.port)) for _ in range(SLOW)]
        for sock in slow:
            sock.sendall(sent)
        with ThreadPoolExecutor(4) as threads:
            answers = list(threads.map(lambda number: client.run(fake(amount=number), shots=1), range(20)))
        assert answers == [{format(number, "08b"): 1} for number in range(20)]
        assert client.run_async(fake(amount=7), shots=2).result(30) == {"00000111": 2}
        assert all(map(is_open, slow)), "all that was answered while these had their time"
        wait_until(lambda: not any(map(is_open, slow)), "the end of what took longer than it may")
        assert client.run(fake(), shots=1).shots == 1


def test_a_request_that_comes_byte_by_byte_has_no_more_time_than_another(server: Server):
    whole = request(run_body())
    with connection(server.port) as sock:
        sent = itertools.count(1)
        wait_until(lambda: _given_up(sock, whole[:1]) or not next(sent), "the end of a request that comes byte by byte")
        assert next(sent) > 100, "each byte is taken"


def test_a_client_that_closes_its_sending_half_gets_its_answer(server: Server):
    with connection(server.port) as sock:
        sock.sendall(request(run_body(fake(amount=5), shots=3)))
        sock.shutdown(socket.SHUT_WR)
        head, _, body = received(sock).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert json.loads(body)["results"][0]["counts"] == {"00000101": 3}


def test_half_a_request_and_then_the_end_is_no_request(server: Server):
    before = _runs(server)
    for sent in (request(run_body())[:40], request(run_body())[:-10]):
        with connection(server.port) as sock:
            sock.sendall(sent)
            sock.shutdown(socket.SHUT_WR)
            assert b" 200 " not in received(sock).partition(b"\r\n")[0]
    assert _runs(server) == before, "nothing was run"


def _runs(server: Server) -> list[str]:
    text = server.request("GET", "/metrics").body.decode()
    return [line for line in text.splitlines() if line.startswith("gateway_runs_total")]


def large(circuits: int = 150) -> bytes:
    """Return a request whose answer fills every buffer between a server and a client."""
    return run_body([fake(clbits=60_000)] * circuits, shots=1)


def test_clients_that_never_read_keep_nobody_from_being_answered(server: Server):
    with ExitStack() as stack, server.client() as client:
        for _ in range(20):
            stack.enter_context(connection(server.port, 4096)).sendall(request(large()))
        for number in range(20):
            assert client.run(fake(amount=number), shots=1) == {format(number, "08b"): 1}
    assert server.run(run_body()).status == 200


def test_a_client_that_never_reads_is_given_up():
    """The time it has is a constant, made shorter here."""
    script = f"""
        from gateway.execution.worker import Target
        from gateway.listener import bind
        from gateway.server import host as serve
        from gateway.settings import Settings
        from gateway.server.access import connections

        connections.SPEED_WINDOW_S = 1
        listener = bind("127.0.0.1", 0)
        print(listener.getsockname()[1], flush=True)
        input()  # the client has connected: it is no exception that it came so early
        serve.serve(Target({TARGET!r}), listener, Settings(workers=1))
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    ) as process:
        try:
            port = int(process.stdout.readline())
            with connection(port, 4096) as sock, BackendClient(port=port) as client:
                process.stdin.write(b"\n")
                process.stdin.flush()
                sock.sendall(request(large()))
                wait_until(lambda: _given_up(sock), "the client to be given up")
                assert client.run(fake(Does.ECHO, 2), shots=1) == {"00000010": 1}
        finally:
            process.terminate()


def _given_up(sock: socket.socket, data: bytes = b"x") -> bool:
    """Say whether the other end has closed, without reading what it sent: only a closed one refuses more."""
    try:
        sock.sendall(data)
    except (BrokenPipeError, ConnectionResetError):
        return True
    return False
