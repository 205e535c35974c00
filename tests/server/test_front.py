"""The front: bodies are collected, large answers written, and probes answered, and none of it holds a thread."""

from __future__ import annotations

import functools
import http.client
import itertools
import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from support.crowds import Crowded, large_answers
from support.fake import Does, fake
from support.raw import run_body
from support.serving import exchange, request, statuses
from support.waiting import wait_until

from gateway.execution.content import PIECE_BYTES

ARRIVAL_S = 1.0
LARGE = 5_000_001
"""Bytes of an answer that comes in many pieces, of which the last is a small one."""

PATTERN = bytes(range(256))


@pytest.fixture(scope="module")
def server() -> Iterator[Crowded]:
    with large_answers(max_arrival_s=ARRIVAL_S) as sieged:
        yield sieged


def connected(server: Crowded) -> socket.socket:
    return socket.create_connection((server.host, server.port), 60)


def received(sock: socket.socket) -> bytes:
    return b"".join(iter(lambda: sock.recv(2**16), b""))


def outlast_the_limit(server: Crowded) -> None:
    """Wait until a request that began now would have been broken off."""
    with connected(server) as late:
        late.sendall(b"GET /healthz HTTP/1.1\r\n")
        assert received(late) == b""


# ---------------------------------------------------------------------------- large answers


def test_a_large_answer_comes_whole_and_its_connection_is_kept(server: Crowded):
    connection = http.client.HTTPConnection(server.host, server.port, timeout=60)
    for size in (LARGE, 2**20 + 1, 2**20, PIECE_BYTES + 1, PIECE_BYTES, 3, 0):
        connection.request("GET", f"/large/{size}")
        response = connection.getresponse()
        content = response.read()
        assert response.headers["Content-Length"] == str(size)
        assert "Transfer-Encoding" not in response.headers
        assert content == (PATTERN * (size // 256 + 1))[:size]
    connection.close()


def test_of_a_large_answer_only_the_head_is_sent_where_only_the_head_was_asked_for(server: Crowded):
    answer = exchange(server, request("HEAD", f"/large/{LARGE}"))
    assert statuses(answer) == [200]
    assert f"content-length: {LARGE}".encode() in answer.lower()
    assert answer.endswith(b"\r\n\r\n")


def test_an_answer_that_cannot_be_read_to_its_end_never_looks_whole(server: Crowded):
    for pieces in (1, 2, 7):
        with connected(server) as sock:
            sock.sendall(f"GET /breaking/{8 * PIECE_BYTES}/{pieces} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            head, _, body = received(sock).partition(b"\r\n\r\n")
        assert f"content-length: {8 * PIECE_BYTES}".encode() in head.lower()
        assert len(body) == pieces * PIECE_BYTES
    assert server.run(run_body()).status == 200


@pytest.mark.parametrize(("size", "pieces"), [(8 * PIECE_BYTES, 0), (100, 0), (PIECE_BYTES, 1)])
def test_an_answer_that_cannot_be_read_before_it_has_begun_is_a_problem(server: Crowded, size: int, pieces: int):
    reply = server.request("GET", f"/breaking/{size}/{pieces}")
    assert (reply.status, reply.json["code"]) == (500, "internal-error")
    assert "the disk is gone" not in reply.json["detail"]


def test_clients_that_stop_reading_a_large_answer_cost_neither_threads_nor_memory(server: Crowded):
    assert server.request("GET", "/large/100000000").status == 200
    before = server.memory_bytes()
    with ExitStack() as stack:
        for _ in range(200):
            sock = stack.enter_context(socket.socket())
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.connect((server.host, server.port))
            sock.sendall(b"GET /large/100000000 HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert sock.recv(12) == b"HTTP/1.1 200"
        for number in range(5):
            assert server.run(run_body(fake(amount=number))).status == 200
        assert server.memory_bytes() - before < 200 * 2**18 + 2**26  # a piece for each, and what the heap holds


def test_a_client_that_reads_slower_than_the_least_speed_is_broken_off_and_another_is_not():
    """The time over which the speed is measured is a constant, made shorter here."""
    shorter = "from gateway.server.access import connections; connections.SPEED_WINDOW_S = 1"
    with large_answers(shorter, least_bytes_per_s=1e5) as server, ExitStack() as stack:
        slow, quick = [stack.enter_context(socket.socket()) for _ in range(2)]
        for sock in (slow, quick):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**16)
            sock.connect((server.host, server.port))
            sock.sendall(b"GET /large/100000000 HTTP/1.1\r\nHost: localhost\r\n\r\n")

        def is_given_up() -> bool:
            assert quick.recv(2**16)
            try:
                slow.sendall(b"x")
            except OSError:
                return True
            return False

        wait_until(is_given_up, "the end of a client that reads nothing")
        assert len(quick.recv(2**16)) > 0


def test_a_client_that_asks_again_and_again_without_reading_is_broken_off():
    """The time over which the speed is measured is a constant, made shorter here."""
    shorter = "from gateway.server.access import connections; connections.SPEED_WINDOW_S = 1"
    with large_answers(shorter, max_arrival_s=3600) as server:
        for path in ("/v1/nothing", "/healthz", "/large/250000"):
            with connected(server) as sock:
                wait_until(functools.partial(_is_given_up, sock, path), f"the end of a client that asks for {path}")


def _is_given_up(sock: socket.socket, path: str) -> bool:
    """Ask a hundred times without reading; say whether the server has ended the connection."""
    sock.settimeout(0.1)
    try:
        sock.send(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() * 100)
    except TimeoutError:
        return False
    except OSError:
        return True
    return False


# ---------------------------------------------------------------------------- bodies


def test_a_body_that_comes_in_many_pieces_and_is_kept_in_a_file_is_read_as_it_came(server: Crowded):
    body = run_body(fake(amount=77)) + b" " * 3_000_000
    head = f"POST /v1/run HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    with connected(server) as sock:
        for piece in (head.encode(), b"\r\n\r\n", body[:1], body[1:1000], body[1000:]):
            sock.sendall(piece)
        sock.shutdown(socket.SHUT_WR)
        answer = received(sock)
    assert statuses(answer) == [200]
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["results"][0]["counts"] == {"01001101": 1024}


def test_a_client_that_asks_first_is_told_to_go_on_or_is_refused_at_once(server: Crowded):
    body = run_body()
    expecting = ("Content-Type: application/json", "Expect: 100-continue")
    with connected(server) as sock:
        sock.sendall(request("POST", "/v1/run", *expecting, f"Content-Length: {len(body)}"))
        assert sock.recv(2**16) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(body)
        assert statuses(received(sock)) == [200]
    with connected(server) as sock:
        sock.sendall(request("POST", "/v1/run", *expecting, "Content-Length: 99999999"))
        answer = sock.recv(2**16)
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert b"connection: close" in answer.lower()


def test_a_client_sees_the_refusal_of_a_body_though_it_sends_all_of_it_first(server: Crowded):
    body = b" " * 60_000_000
    reply = server.request("POST", "/v1/run", body)
    assert (reply.status, reply.json["code"]) == (413, "limit-exceeded")


def test_large_bodies_that_are_too_many_at_once_are_refused_at_once():
    with large_answers(max_body_bytes=2**21) as server, ThreadPoolExecutor(9) as threads:
        body = run_body(fake(Does.WAIT)) + b" " * 1_900_000
        held = [threads.submit(server.run, body) for _ in range(8)]
        server.wait_until_doing(Does.WAIT, 2)
        wait_until(
            lambda: b"gateway_waiting_runs 6.0" in server.request("GET", "/metrics").body,
            "those that wait for a worker",
        )
        head = (
            f"POST /v1/run HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
            "\r\nConnection: close"
        )
        with connected(server) as sock:
            sock.sendall(head.encode() + b"\r\n\r\n" + body)
            answer = received(sock)
        assert statuses(answer) == [503]
        assert b'"code": "busy"' in answer
        wait_until(lambda: server.let_go() or all(each.done() for each in held), "the end of all runs")
        assert [each.result().status for each in held] == [200] * 8
        assert server.run(run_body() + b" " * 1_900_000).status == 200


# ---------------------------------------------------------------------------- a length of nothing


def with_no_body(method: str, path: str) -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n".encode()


def test_requests_that_say_that_they_have_no_body_are_whole(server: Crowded):
    """Python's requests sends such a length with every DELETE and POST without a body."""
    with server.client() as client, connected(server) as sock:
        job = client.run_async(fake(Does.WAIT))
        server.wait_until_doing(Does.WAIT)
        sock.sendall(with_no_body("GET", f"/v1/jobs/{job.id}?wait_s=60"))
        outlast_the_limit(server)
        server.let_go()
        assert sock.recv(2**16).startswith(b"HTTP/1.1 200 ")
        for method, path, status in (
            ("DELETE", f"/v1/jobs/{job.id}", 200),
            ("POST", f"/v1/jobs/{job.id}/rerun", 202),
            ("GET", "/healthz", 200),
            ("GET", "/v1/backend", 200),
        ):
            sock.sendall(with_no_body(method, path))
            assert sock.recv(2**16).startswith(b"HTTP/1.1 %d " % status)
        outlast_the_limit(server)
        sock.sendall(with_no_body("GET", "/healthz"))
        assert sock.recv(2**16).startswith(b"HTTP/1.1 200 "), "its connection is kept"
        server.wait_until_doing(Does.WAIT)
        server.let_go()


# ---------------------------------------------------------------------------- connections


def test_requests_in_one_go_are_answered_in_order_though_the_client_sends_nothing_more(server: Crowded):
    paths = ["/healthz", "/v1/jobs/x", f"/large/{LARGE}", "/v1/nothing", "/readyz"]
    with connected(server) as sock:
        sock.sendall(b"".join(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() for path in paths))
        sock.shutdown(socket.SHUT_WR)
        answer = received(sock)
    assert statuses(answer) == [200, 404, 200, 404, 200]


def test_the_older_version_of_http_is_answered_and_its_connection_closed(server: Crowded):
    with connected(server) as sock:
        sock.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
        answer = received(sock)
    assert answer.startswith(b"HTTP/1.0 200 ")
    assert answer.endswith(b'{"status":"ok"}')


def test_a_target_may_be_a_whole_address(server: Crowded):
    for target in (f"http://localhost:{server.port}/v1/backend", "http://localhost/healthz?x=y"):
        assert statuses(exchange(server, request("GET", target))) == [200]


def test_no_other_protocol_is_begun(server: Crowded):
    key = ("Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==")
    plain = request("GET", "/healthz", "Connection: Upgrade", "Upgrade: websocket", *key)
    assert statuses(exchange(server, plain.replace(b"Connection: close\r\n", b""))) == [200]
    assert statuses(exchange(server, b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n" + request("GET", "/healthz"))) == [400]


def test_a_client_that_sends_much_more_after_what_is_no_http_sees_why_it_is_refused(server: Crowded):
    answer = exchange(server, b"no HTTP at all\r\n" + bytes(3_000_000))
    assert answer.startswith(b"HTTP/1.1 400 ")


def test_a_length_of_very_many_digits_is_refused(server: Crowded):
    answer = exchange(server, request("POST", "/v1/run", "Content-Length: " + "9" * 8000))
    assert statuses(answer) == [400]


# ---------------------------------------------------------------------------- too many


def test_probes_are_answered_while_every_thread_is_busy(tmp_path: Path):
    with large_answers(max_queue=0, max_polls=0) as server, ThreadPoolExecutor(20) as threads:
        blocked = [threads.submit(server.request, "GET", f"/block{tmp_path}/go") for _ in range(20)]
        for path, _ in itertools.product(("/healthz", "/readyz"), range(20)):
            assert server.request("GET", path).status == 200
            assert statuses(exchange(server, request("GET", path, "Content-Length: 0"))) == [200]
        assert not any(each.done() for each in blocked)
        (tmp_path / "go").touch()
        assert [each.result().status for each in blocked] == [200] * 20


def test_a_caller_who_fills_every_thread_and_waits_for_more_leaves_others_their_turn(tmp_path: Path):
    with large_answers(max_queue=0, max_polls=0) as server, ExitStack() as stack:
        for name in ["first"] * 10 + ["second"] * 30:
            sock = stack.enter_context(connected(server))
            sock.sendall(f"GET /block{tmp_path}/{name} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        other = http.client.HTTPConnection(server.host, server.port, timeout=60, source_address=("127.0.0.2", 0))
        other.request("GET", "/v1/backend")
        for _ in range(3):  # by then, what came before is with its thread, or waits for one
            assert server.request("GET", "/healthz").status == 200
        (tmp_path / "first").touch()
        assert other.getresponse().status == 200
        other.close()
        (tmp_path / "second").touch()


def test_idle_connections_make_room_and_when_all_are_used_only_probes_are_answered():
    with large_answers(max_connections=10) as server, ExitStack() as stack:
        idle = [stack.enter_context(connected(server)) for _ in range(30)]
        assert server.run(run_body()).status == 200
        wait_until(lambda: sum(map(_is_closed, idle)) > 20, "the end of those that are too many")
        used = [stack.enter_context(connected(server)) for _ in range(10)]
        for sock in used:
            sock.sendall(b"GET /large/100000000 HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert sock.recv(12) == b"HTTP/1.1 200"
        assert server.request("GET", "/healthz").status == 200
        refused = server.run(run_body())
        assert (refused.status, refused.json["code"]) == (503, "busy")
        assert refused.headers["Retry-After"] == "1"
        used.pop().close()
        wait_until(lambda: server.run(run_body()).status == 200, "room for one more")


def _is_closed(sock: socket.socket) -> bool:
    sock.setblocking(False)
    try:
        return sock.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True
