"""The door before servers of the fake: what it shows, streams and passes through, whatever callers do."""

from __future__ import annotations

import contextlib
import hashlib
import json
import socket
import struct
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from support.doors import door
from support.fake import Does, fake
from support.raw import Reply, run_body
from support.serving import Served, exchange, request, serving, statuses
from support.upstream import answer, upstream
from support.waiting import wait_until

pytestmark = pytest.mark.slow

LARGE = {"numpy", "scipy", "matplotlib"}
"""What the process that answers requests never imports."""


@pytest.fixture(scope="module")
def simulator() -> Iterator[Served]:
    with serving() as served:
        yield served


@pytest.fixture(scope="module")
def opened(simulator: Served) -> Iterator[Served]:
    with door({"fake": simulator}) as served:
        yield served


def get(server: Served, path: str, headers: dict[str, str] | None = None) -> Reply:
    return server.request("GET", path, None, headers or {})


def compare(server: Served, *does: Does) -> str:
    """Begin a comparison of circuits that make the fake do something, and return its path."""
    circuits = [{"name": f"circuit {k}", "openqasm": fake(each).to_openqasm3()} for k, each in enumerate(does)]
    reply = server.request(
        "POST", "/v1/comparisons", json.dumps({"circuits": circuits, "exact": False, "shots": 20}).encode()
    )
    assert reply.status == 202, reply.body
    return f"/v1/comparisons/{reply.json['id']}"


def ended(server: Served, path: str, simulator: Served | None = None) -> dict[str, Any]:
    """Wait for the end of a comparison, whose runs wait to be let go if a simulator is given."""

    def info() -> dict[str, Any] | None:
        if simulator is not None:
            simulator.let_go()
        found = get(server, f"{path}?wait_s={5 if simulator is None else 0.05}").json
        return found if found["state"] not in {"queued", "running"} else None

    return wait_until(info, f"the end of {path}")


def metric(server: Served, name: str) -> float:
    text = get(server, "/metrics").body.decode()
    return next((float(line.split()[-1]) for line in text.splitlines() if line.startswith(name)), 0.0)


# ---------------------------------------------------------------------- what is shown


def test_what_is_shown_is_made_elsewhere(opened: Served, simulator: Served):
    running = compare(opened, Does.WAIT)
    simulator.wait_until_doing(Does.WAIT)
    part = get(opened, f"{running}/result")
    assert part.status == 200
    assert b"data-part=" in part.body
    for name in ("report.html", "picture.svg", "outcomes.csv", "record"):
        reply = get(opened, f"{running}/{name}")
        assert (reply.status, reply.json["code"]) == (404, "result-not-found")
    assert ended(opened, running, simulator)["has_record"]
    path = compare(opened, Does.ECHO)
    ended(opened, path)
    ended(opened, compare(opened, Does.ECHO))
    circuit = json.dumps({"openqasm": fake().to_openqasm3()}).encode()
    assert opened.request("POST", "/v1/circuits", circuit).status == 200
    shown = {
        name: get(opened, f"{path}/{name}")
        for name in ("result", "report.html", "picture.svg", "picture.png", "outcomes.csv", "record", "request")
    }
    assert {name: reply.status for name, reply in shown.items()} == dict.fromkeys(shown, 200)
    assert shown["picture.png"].body.startswith(b"\x89PNG")
    assert shown["report.html"].headers["Content-Disposition"].startswith('attachment; filename="comparison-')
    assert "style-src 'sha256-" in shown["report.html"].headers["Content-Security-Policy"]
    assert shown["outcomes.csv"].headers["Content-Type"] == "text/csv; charset=utf-8"
    assert get(opened, f"{path}/picture.gif").json["code"] == "result-not-found"
    tag = shown["report.html"].headers["ETag"]
    assert get(opened, f"{path}/report.html", {"If-None-Match": tag}).status == 304
    assert len(_answering(opened)) == 2
    for pid in _answering(opened):
        maps = Path(f"/proc/{pid}/maps").read_text()
        assert not {name for name in LARGE if f"/{name}/" in maps}


def _answering(server: Served) -> set[int]:
    """Return the process that answers requests and the one above it."""
    return {pid for pid in server.processes() if "gateway.cli open" in _command(pid)}


def _command(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return ""


# ---------------------------------------------------------------------- events


def events(server: Served, path: str) -> socket.socket:
    connection = socket.create_connection((server.process.host, server.port), 30)
    connection.sendall(f"GET {path}/events HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    return connection


def test_hundreds_hear_of_one_comparison_and_whoever_leaves_is_forgotten(opened: Served, simulator: Served):
    path = compare(opened, Does.WAIT)
    simulator.wait_until_doing(Does.WAIT)
    before = metric(opened, 'gateway_door_requests_total{route="/v1/comparisons/{comparison_id}/events",status="200"}')
    with ThreadPoolExecutor(50) as threads:
        readers = list(threads.map(lambda _: events(opened, path), range(200)))
    heads = [reader.recv(2**12) for reader in readers]
    assert {head[:15] for head in heads} == {b"HTTP/1.1 200 OK"}
    assert metric(opened, "gateway_door_event_streams ") == 200
    for reader in readers[:150]:
        reader.close()
    wait_until(lambda: metric(opened, "gateway_door_event_streams ") == 50, "those who left to be forgotten")
    ended(opened, path, simulator)
    with ThreadPoolExecutor(50) as threads:
        told = list(threads.map(_all_of, readers[150:]))
    assert all(b'"state":"finished"' in text.rpartition(b"id: ")[2] for text in told)
    assert metric(opened, "gateway_door_event_streams ") == 0
    after = metric(opened, 'gateway_door_requests_total{route="/v1/comparisons/{comparison_id}/events",status="200"}')
    assert after - before == 200
    with events(opened, path) as late:
        assert b'"state":"finished"' in _all_of(late)


def _all_of(reader: socket.socket) -> bytes:
    """Return what comes until the last chunk."""
    text = b""
    while not text.endswith(b"0\r\n\r\n") and (part := reader.recv(2**16)):
        text += part
    reader.close()
    return text


def test_whoever_leaves_before_they_are_answered_holds_nothing(opened: Served, simulator: Served):
    path = compare(opened, Does.WAIT)
    simulator.wait_until_doing(Does.WAIT)
    for _ in range(100):
        events(opened, path).close()
    wait_until(lambda: metric(opened, "gateway_door_event_streams ") == 0, "those who left to be forgotten")
    ended(opened, path, simulator)


def test_a_request_for_events_has_no_body(opened: Served):
    path = compare(opened, Does.ECHO)
    smuggled = request("GET", "/v1/simulators")
    got = exchange(opened, request("GET", f"{path}/events", f"Content-Length: {len(smuggled)}", body=smuggled))
    assert statuses(got) == [400]
    assert b"events are for requests without a body" in got
    for none in ("none", "no.ne", "n" * 100):
        assert statuses(exchange(opened, request("GET", f"/v1/comparisons/{none}/events"))) == [404]


# ---------------------------------------------------------------------- what is passed through


def test_a_job_is_found_where_the_door_says_it_is(opened: Served):
    accepted = opened.request("POST", "/v1/simulators/fake/v1/jobs", run_body(shots=5))
    assert accepted.status == 202
    assert accepted.headers["Location"] == f"/v1/simulators/fake/v1/jobs/{accepted.json['id']}"
    assert get(opened, accepted.headers["Location"]).json["id"] == accepted.json["id"]


def test_other_places_are_not_passed_on():
    answers = {
        place: answer(b"", f"Location: {place}", status="302 Found")
        for place in ("/v1/jobs/../x", "//evil.example", "https://evil.example/v1/jobs/a", "/v1/jobs/a%0d%0a")
    }
    with upstream({f"/{k}": each for k, each in enumerate(answers.values())}) as stranger, \
            door({"stranger": stranger.url}) as opened:  # fmt: skip
        for k in range(len(answers)):
            reply = get(opened, f"/v1/simulators/stranger/{k}")
            assert reply.status == 302
            assert "Location" not in reply.headers


def test_one_connection_carries_heads_unchanged_pages_and_errors(opened: Served):
    simulator = "/v1/simulators/fake"
    tag = get(opened, f"{simulator}/docs").headers["ETag"]
    lines = [
        ("HEAD", f"{simulator}/docs", ()),
        ("GET", f"{simulator}/docs", (f"If-None-Match: {tag}",)),
        ("GET", f"{simulator}/v1/jobs/none", ()),
        ("GET", "/v1/simulators/nobody/v1/backend", ()),
        ("GET", f"{simulator}/healthz", ()),
    ]
    with socket.create_connection((opened.process.host, opened.port), 30) as connection:
        got = []
        for method, path, more in lines:
            head = "\r\n".join([f"{method} {path} HTTP/1.1", "Host: localhost", *more])
            connection.sendall(f"{head}\r\n\r\n".encode())
            got.append(_one_answer(connection, has_body=method != "HEAD"))
    assert [status for status, _ in got] == [200, 304, 404, 404, 200]
    assert got[-1][1] == b'{"status":"ok"}'


def _one_answer(connection: socket.socket, *, has_body: bool) -> tuple[int, bytes]:
    text = b""
    while b"\r\n\r\n" not in text:
        text += connection.recv(2**16)
    head, _, body = text.partition(b"\r\n\r\n")
    status = int(head.split(b" ")[1])
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    while has_body and status != 304 and len(body) < length:
        body += connection.recv(2**16)
    assert not has_body or status == 304 or len(body) == length
    return status, body


def test_a_run_ends_when_whoever_asked_for_it_through_the_door_leaves(opened: Served, simulator: Served):
    body = run_body(fake(Does.WAIT))
    data = request(
        "POST",
        "/v1/simulators/fake/v1/run",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        body=body,
    )
    with socket.create_connection((opened.process.host, opened.port), 30) as connection:
        connection.sendall(data)
        simulator.wait_until_doing(Does.WAIT)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # as a program that ends
    wait_until(lambda: not simulator.doing(Does.WAIT), "the run to end")


def test_an_answer_that_breaks_off_breaks_off_for_its_reader_and_is_no_surprise():
    def half(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n" + b"x" * 1_500_000)

    with upstream({"/half": half}) as stranger, door({"stranger": stranger.url}) as opened:
        got = exchange(opened, request("GET", "/v1/simulators/stranger/half"))
        assert len(got) < 3_000_000
        assert statuses(got) == [200]
        assert get(opened, "/v1/simulators").status == 200
        assert "breaks off in the middle of its answer" in opened.log()
        assert "Traceback" not in opened.log()


def test_slow_readers_of_large_answers_cost_little_memory():
    large = 2**24
    with upstream({"/large": answer(b"x" * large)}) as stranger, door({"stranger": stranger.url}) as opened:
        (pid,) = _serving_pid(opened)
        before = _resident(pid)
        readers = []
        for _ in range(50):
            reader = socket.create_connection((opened.process.host, opened.port), 30)
            reader.sendall(b"GET /v1/simulators/stranger/large HTTP/1.1\r\nHost: localhost\r\n\r\n")
            readers.append(reader)
        for reader in readers:
            assert reader.recv(15) == b"HTTP/1.1 200 OK"
        assert get(opened, "/v1/simulators").status == 200
        assert _resident(pid) - before < 50 * large / 8
        with ThreadPoolExecutor(10) as threads:
            sizes = list(threads.map(_size_of_rest, readers, [large] * len(readers)))
        assert sizes == [large] * len(readers)


def _size_of_rest(reader: socket.socket, size: int) -> int:
    text = b""
    while b"\r\n\r\n" not in text:
        text += reader.recv(2**12)
    count = len(text.partition(b"\r\n\r\n")[2])
    while count < size and (part := reader.recv(2**18)):
        count += len(part)
    reader.close()
    return count


def _serving_pid(server: Served) -> set[int]:
    return {max(_answering(server), key=_resident)}


def _resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096


def test_a_simulator_that_answers_nothing_holds_up_nobody_else(simulator: Served):
    held = threading.Event()

    def hold(connection: socket.socket) -> None:
        held.set()
        while connection.recv(2**16):
            pass

    with upstream({"/v1/run": hold}) as stranger, door({"stranger": stranger.url, "fake": simulator}) as opened:
        body = run_body()
        with socket.create_connection((opened.process.host, opened.port), 30) as connection:
            connection.sendall(
                request("POST", "/v1/simulators/stranger/v1/run", f"Content-Length: {len(body)}", body=body)
            )
            held.wait(30)
            assert opened.request("POST", "/v1/simulators/fake/v1/run", run_body(shots=1)).status == 200


def test_who_may_only_compare_reads_no_jobs_of_a_simulator_that_knows_nobody_but_the_door(
    simulator: Served, tmp_path: Path
):
    tokens = tmp_path / "tokens"
    lines = [
        f"{name} sha256:{hashlib.sha256(name.encode()).hexdigest()} {rights}"
        for name, rights in (("runs", "run"), ("compares", "compare"))
    ]
    tokens.write_text("\n".join(lines))
    tokens.chmod(0o600)
    with door({"fake": simulator}, "--tokens", str(tokens)) as opened:
        statuses = {
            (name, path): get(opened, f"/v1/simulators/fake{path}", {"Authorization": f"Bearer {name}"}).status
            for name in ("runs", "compares")
            for path in ("/v1/jobs", "/v1/backend")
        }
    assert statuses == {
        ("runs", "/v1/jobs"): 200,
        ("runs", "/v1/backend"): 200,
        ("compares", "/v1/jobs"): 403,
        ("compares", "/v1/backend"): 200,
    }
