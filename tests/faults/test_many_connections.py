"""Clients by the thousand that send nothing, and hundreds that read or write drop by drop, keep nobody else out."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from support.certificates import make_certificate
from support.crowds import Crowd, Crowded, large_answers, read_a_little, room_for_connections, write_a_little
from support.fake import Does, fake
from support.raw import run_body
from support.serving import exchange, request, serving, statuses
from support.waiting import wait_until

IDLE = 1_200
DRIPPING = 60
MOST = 400

READ = b"GET /large/100000000 HTTP/1.1\r\nHost: localhost\r\n\r\n"
WRITE = (
    b"POST /v1/run HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 30000000\r\n\r\n"
) + b" " * 500_000


@pytest.fixture(scope="module")
def server() -> Iterator[Crowded]:
    with large_answers(max_connections=MOST) as sieged:
        assert sieged.request("GET", "/large/100000000").status == 200
        yield sieged


def test_others_are_answered_and_memory_is_bounded_whatever_a_thousand_clients_do(server: Crowded):
    idle = room_for_connections(IDLE + 2 * DRIPPING) - 2 * DRIPPING
    before = server.memory_bytes()
    with ExitStack() as stack:
        readers = stack.enter_context(Crowd(server.port, DRIPPING, READ, read_a_little))
        writers = stack.enter_context(Crowd(server.port, DRIPPING, WRITE, write_a_little))
        nothing = stack.enter_context(Crowd(server.port, idle))
        for number in range(5):
            assert server.request("GET", "/healthz").status == 200
            assert server.run(run_body(fake(amount=number))).status == 200
        wait_until(lambda: nothing.begun > idle + MOST, "those that were closed to have come again")
        assert server.request("GET", "/healthz").status == 200
        assert server.run(run_body()).status == 200
        assert readers.begun == writers.begun == DRIPPING, "what is under way is not ended for what is idle"
        bodies, answers = 2**26, (DRIPPING + 1) * 400_000
        assert server.memory_bytes() - before < bodies + answers + (MOST + 64) * 50_000 + 2**25
    wait_until(lambda: _descriptors(server) < MOST // 2, "all descriptors to be given back")


@pytest.mark.parametrize("request_bytes", [b"", WRITE[:20], WRITE[:1000], READ], ids=["nothing", "half", "more", "all"])
def test_clients_that_leave_leave_nothing_behind(server: Crowded, request_bytes: bytes):
    before = _descriptors(server)
    for _ in range(100):
        with socket.create_connection((server.host, server.port)) as sock:
            sock.sendall(request_bytes)
    wait_until(lambda: _descriptors(server) < before + 20, "all descriptors to be given back", deadline_s=30)


def test_clients_that_only_begin_a_request_make_room_for_others(server: Crowded):
    with Crowd(server.port, MOST + 200, b"GET /healthz HTTP/1.1\r\nX: ", write_a_little) as crowd:
        for number in range(5):
            assert server.request("GET", "/healthz").status == 200
            assert server.run(run_body(fake(amount=number))).status == 200
        assert crowd.begun >= MOST + 200


def test_clients_that_never_agree_on_keys_keep_nobody_out(tmp_path: Path):
    files = make_certificate(tmp_path, "ours")
    options = ("--tls-cert", str(files.certificate), "--tls-key", str(files.key), "--limit", "max_connections=20")
    with serving(*options) as secure, ExitStack() as stack:
        silent = [stack.enter_context(socket.create_connection((secure.host, secure.port))) for _ in range(100)]
        half = [stack.enter_context(socket.create_connection((secure.host, secure.port))) for _ in range(100)]
        for sock in half:
            sock.sendall(b"\x16\x03\x01\x02")
        for _ in range(3):
            assert statuses(exchange(secure, request("GET", "/healthz"), tls=True)) == [200]
        for sock in half[:50]:
            sock.close()
        wait_until(lambda: sum(map(_is_open, [*silent, *half[50:]])) <= 20, "the end of those that are too many")
        context = ssl.create_default_context(cafile=str(files.certificate))
        with context.wrap_socket(
            socket.create_connection(("127.0.0.1", secure.port)), server_hostname="localhost"
        ) as s:
            s.sendall(request("GET", "/v1/backend"))
            assert s.recv(12) == b"HTTP/1.1 200"
        assert "Traceback" not in secure.log()


def test_a_caller_who_sends_more_runs_than_may_wait_leaves_places_to_others():
    with large_answers(max_queue=14) as server, ThreadPoolExecutor(40) as threads:
        greedy = [threads.submit(server.run, run_body(fake(Does.WAIT))) for _ in range(30)]
        wait_until(lambda: sum(each.done() for each in greedy) == 14, "14 of 30 runs to be refused")
        assert {each.result().status for each in greedy if each.done()} == {503}
        other = threads.submit(_run_from, server, "127.0.0.2")
        while not other.done():
            server.let_go()
        assert other.result() == 200
        wait_until(lambda: server.let_go() or all(each.done() for each in greedy), "the end of all runs")
        assert [each.result().status for each in greedy].count(200) == 16


def _run_from(server: Crowded, address: str) -> int:
    connection = http.client.HTTPConnection(server.host, server.port, timeout=60, source_address=(address, 0))
    connection.request("POST", "/v1/run", run_body(), {"Content-Type": "application/json"})
    status = connection.getresponse().status
    connection.close()
    return status


def _is_open(sock: socket.socket) -> bool:
    sock.setblocking(False)
    try:
        return sock.recv(1) != b""
    except BlockingIOError:
        return True
    except ConnectionError:
        return False


def _descriptors(server: Crowded) -> int:
    return len(list(Path(f"/proc/{server.http_process()}/fd").iterdir()))
