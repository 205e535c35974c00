"""Requests that no honest client sends: framing that two readers read differently, headers, paths, sizes."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator

import pytest
from support.doors import WAYS, reached
from support.fake import Does, fake
from support.raw import JSON, run_body
from support.serving import Served, exchange, request, statuses

SECRET = b"GET /v1/backend HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
"""What is smuggled: were it answered, ``bit_order`` would come back."""


@pytest.fixture(scope="module", params=WAYS)
def server(request: pytest.FixtureRequest) -> Iterator[Served]:
    with reached(request.param, "--limit", "max_body_bytes=100000", "--limit", "max_header_bytes=4000") as served:
        yield served


def framed(*headers: str, body: bytes = SECRET) -> bytes:
    """Return a run request whose length is said by these headers."""
    lines = ["POST /v1/run HTTP/1.1", "Host: localhost", "Content-Type: application/json", *headers]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


CHUNKED = b"0\r\n\r\n" + SECRET
SMUGGLED = {
    "a length and chunks": framed("Content-Length: 4", "Transfer-Encoding: chunked", body=CHUNKED),
    "chunks and a length": framed("Transfer-Encoding: chunked", "Content-Length: 4", body=CHUNKED),
    "two lengths": framed("Content-Length: 0", f"Content-Length: {len(SECRET)}"),
    "two equal lengths": framed("Content-Length: 5", "Content-Length: 5"),
    "a list of lengths": framed("Content-Length: 0, 5"),
    "a signed length": framed("Content-Length: +0"),
    "a negative length": framed("Content-Length: -1"),
    "a hexadecimal length": framed("Content-Length: 0x0"),
    "a length with a blank": framed("Content-Length: 0 0"),
    "a length with an underscore": framed("Content-Length: 1_0"),
    "a length of other digits": framed("Content-Length: \xb2"),
    "a length that is empty": framed("Content-Length:"),
    "a length of 5,000 digits": framed("Content-Length: " + "9" * 3900),
    "a name with an underscore": framed("Content_Length: 5"),
    "a blank before the colon": framed("Content-Length : 5"),
    "a tab before the name": framed("X: y", "\tContent-Length: 5"),
    "a folded header": framed("Content-Length:", " 5"),
    "chunked, identity": framed("Transfer-Encoding: chunked, identity", body=CHUNKED),
    "identity, chunked": framed("Transfer-Encoding: identity, chunked", body=CHUNKED),
    "xchunked": framed("Transfer-Encoding: xchunked", body=CHUNKED),
    "chunked twice": framed("Transfer-Encoding: chunked", "Transfer-Encoding: chunked", body=CHUNKED),
    "chunked, chunked": framed("Transfer-Encoding: chunked, chunked", body=CHUNKED),
    "chunked in quotes": framed('Transfer-Encoding: "chunked"', body=CHUNKED),
    "chunked after a vertical tab": framed("Transfer-Encoding: \x0bchunked", body=CHUNKED),
    "chunked after a blank before the colon": framed("Transfer-Encoding : chunked", body=CHUNKED),
    "chunked and gzip": framed("Transfer-Encoding: gzip, chunked", body=CHUNKED),
    "an encoding that is empty": framed("Transfer-Encoding:", body=CHUNKED),
    "chunks that are no numbers": framed("Transfer-Encoding: chunked", body=b"zz\r\n\r\n0\r\n\r\n" + SECRET),
    "a chunk with a sign": framed("Transfer-Encoding: chunked", body=b"+5\r\nhello\r\n0\r\n\r\n" + SECRET),
    "a chunk longer than said": framed("Transfer-Encoding: chunked", body=b"2\r\nhello\r\n0\r\n\r\n" + SECRET),
    "a chunk that is not there": framed("Transfer-Encoding: chunked", body=b"ffffff\r\n" + SECRET),
    "bare line feeds": framed("Content-Length: 4").replace(b"\r\n", b"\n"),
    "a bare carriage return": framed("X: a\rContent-Length: 4"),
    "a NUL in a header": framed("X: a\0b", "Content-Length: 4"),
    "a NUL in a name": framed("X\0: a", "Content-Length: 4"),
    "a name of two words": framed("X Y: a", "Content-Length: 4"),
    "no name": framed(": a", "Content-Length: 4"),
    "a header without a colon": framed("chunked", "Content-Length: 4"),
    "a version of HTTP that does not exist": framed("Content-Length: 4").replace(b"HTTP/1.1", b"HTTP/3.7"),
    "no version at all": b"GET /v1/backend\r\n\r\n",
    "a blank before the version": framed("Content-Length: 4").replace(b" HTTP", b"  HTTP"),
    "a method of small letters": b"get /v1/run HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a line before the request": b"\0\r\n" + framed("Content-Length: 4"),
    "TLS on a plain port": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)),
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a long method": b"A" * 100_000,
    "a long address": b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a long header": framed("X: " + "a" * 100_000),
    "many headers": framed(*[f"X-{number}: a" for number in range(5_000)]),
    "no end of the headers": b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 100,
}


@pytest.mark.parametrize("name", SMUGGLED)
def test_promise_14_framing_that_can_be_read_in_two_ways_is_refused(server: Served, name: str):
    answer = exchange(server, SMUGGLED[name])
    assert b"bit_order" not in answer, "what was smuggled was answered"
    assert all(status >= 400 for status in statuses(answer)), answer[:300]
    assert len(statuses(answer)) <= 1, "one request was answered twice"
    assert statuses(answer) or name == "no end of the headers"
    assert b"Traceback" not in answer
    assert server.run(run_body()).status == 200


def test_what_follows_a_refused_request_on_its_connection_is_not_answered_from_its_body(server: Served):
    first = framed("Transfer-Encoding: chunked", body=b"5\r\nhello\r\n0\r\n\r\n")
    answer = exchange(server, first + SECRET)
    assert statuses(answer) == [411]
    assert b"Connection: close" in answer


def test_two_honest_requests_in_one_go_are_two_answers(server: Served):
    body = run_body()
    answer = exchange(server, framed(f"Content-Length: {len(body)}", body=body) + SECRET)
    assert statuses(answer) == [200, 200]


# ---------------------------------------------------------------------------- sizes


@pytest.mark.parametrize("path", ["/v1/run", "/v1/jobs"])
def test_promise_12_a_body_over_the_limit_is_413_and_chunks_are_411(server: Served, path: str):
    large = server.request("POST", path, b'{"circuits": "' + b" " * 100_000 + b'"}', JSON)
    assert (large.status, large.json["code"]) == (413, "limit-exceeded")
    said = exchange(server, request("POST", path, "Content-Type: application/json", "Content-Length: 99999999999999"))
    assert statuses(said) == [413]
    body = run_body()
    chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    headers = ("Content-Type: application/json", "Transfer-Encoding: chunked")
    assert statuses(exchange(server, request("POST", path, *headers, body=chunks))) == [411]


def test_promise_12_a_body_cut_short_is_not_processed(server: Served):
    """A client that says more than it sends, and hangs up: what came is valid JSON, and is not run."""
    body = run_body(fake(Does.ECHO))
    before = _jobs(server)
    for more in (1, 50_000):
        headers = ("Content-Type: application/json", f"Content-Length: {len(body) + more}")
        answer = exchange(server, request("POST", "/v1/jobs", *headers, body=body))
        assert [status for status in statuses(answer) if status < 400] == []
    assert _jobs(server) == before


def test_promise_12_chunks_over_the_limit_are_not_cut_and_taken_for_whole(server: Served):
    """Found against Flask: a chunked body over MAX_CONTENT_LENGTH is cut there, and was processed as whole."""
    body = run_body() + b" " * 200_000
    chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    headers = ("Content-Type: application/json", "Transfer-Encoding: chunked")
    before = _jobs(server)
    assert statuses(exchange(server, request("POST", "/v1/jobs", *headers, body=chunks))) == [411]
    assert _jobs(server) == before


def _jobs(server: Served) -> int:
    return len(server.request("GET", "/v1/jobs?limit=1000").json["jobs"])


# ---------------------------------------------------------------------------- what is never accepted


@pytest.mark.parametrize(
    "body",
    [b"QISKIT\x0c\x01\x02" + bytes(40), pickle.dumps({"circuits": ["x"]}),
    b"__import__('os').system('true')", b"<?xml version='1.0'?>"],
    ids=["qpy", "pickle", "python", "xml"],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/v1/run", "/v1/jobs"])
def test_promise_9_qpy_pickles_and_programs_are_not_accepted(server: Served, body: bytes, path: str):
    assert server.request("POST", path, body, JSON).status == 400
    text = json.dumps({"circuits": body.decode("latin-1")}).encode()
    assert server.request("POST", "/v1/run", text, JSON).status == 400


# ---------------------------------------------------------------------------- headers and paths


def test_another_protocol_is_not_spoken(server: Served):
    upgrade = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA")
    for headers in (upgrade, ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: eA==")):
        plain = request("GET", "/healthz", *headers).replace(b"Connection: close\r\n", b"")
        assert statuses(exchange(server, plain)) in ([200], [400])


INJECTED = "x%0d%0aSet-Cookie:%20a=b%0d%0a%0d%0a<script>"


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", f"/{INJECTED}"), ("GET", f"/v1/jobs/{INJECTED}"), ("DELETE", f"/v1/jobs/{INJECTED}"), ("GET",
    f"/v1/jobs?state={INJECTED}"),
     ("GET", f"/v1/jobs?before={INJECTED}"), ("GET", f"/v1/jobs?limit={INJECTED}"), ("GET",
     f"/v1/jobs/x?wait_s={INJECTED}")],
)  # fmt: skip
def test_no_header_comes_back_that_a_request_wrote(server: Served, method: str, path: str):
    reply = server.request(method, path)
    assert 400 <= reply.status < 500
    assert "Set-Cookie" not in reply.headers
    assert reply.headers["Content-Type"] == "application/problem+json"


def test_no_header_comes_back_from_a_header(server: Served):
    for header in ("Idempotency-Key: a\x0bb", "traceparent: a\x0bb", "Origin: https://a\x0bb"):
        answer = exchange(server, request("POST", "/v1/jobs", header, *_json(run_body()), body=run_body()))
        assert b"a\x0bb" not in answer.partition(b"\r\n\r\n")[0]


@pytest.mark.parametrize("key", ["a" * 256, "\xe9", "a\tb"])
def test_an_idempotency_key_that_could_not_be_repeated_is_refused(server: Served, key: str):
    answer = exchange(
        server, request("POST", "/v1/jobs", f"Idempotency-Key: {key}", *_json(run_body()), body=run_body())
    )
    assert statuses(answer) == [400]


def _json(body: bytes) -> tuple[str, str]:
    return "Content-Type: application/json", f"Content-Length: {len(body)}"


ODD_PATHS = [
    "/../../../etc/passwd", "/v1/../../../../etc/passwd", "/v1/jobs/../../etc/passwd",
    "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc%2fpasswd",
    "/v1/jobs/..%2f..%2f..%2fetc%2fpasswd", "/v1/jobs/%2e%2e%2fbackend", "/static/app.py", "/.env",
    "/.git/config", "/%00", "/v1/jobs/%00",
    "/v1/jobs/a%00b", "/v1/jobs/%ff%fe", "/%c0%ae%c0%ae/etc/passwd", "//etc/passwd", "/v1//jobs//x",
    "/v1/jobs/'%20or%201=1--",
    "/v1/jobs/%25s%25n", "/v1/jobs/{{7*7}}", "/v1/jobs/" + "a" * 3000, "/console",
    "/v1?__debugger__=yes&cmd=resource&f=style.css", "/\\..\\..\\etc",
    "/v1/jobs/x/rerun/../../../backend", "/v1/jobs/\u202e".encode().decode("latin-1"), "/V1/RUN",
    "/v1/run;x=y", "/v1/run%20",
]  # fmt: skip


@pytest.mark.parametrize("path", ODD_PATHS)
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_no_path_leads_anywhere_else(server: Served, method: str, path: str):
    answer = exchange(server, request(method, path))
    assert statuses(answer)[0] in {400, 404, 405}, answer[:300]
    assert len(statuses(answer)) == 1
    assert b"root:" not in answer
    assert b"Traceback" not in answer


@pytest.mark.parametrize("target", ["*", "evil.example:443", "http://[", "http://localhost:99999999/", "?", "#", "%"])
@pytest.mark.parametrize("method", ["GET", "OPTIONS", "CONNECT", "TRACE", "PROPFIND", "A-B"])
def test_odd_targets_are_answered_and_echo_nothing(server: Served, method: str, target: str):
    answer = exchange(server, request(method, target, "X-Secret: squeamish"))
    assert statuses(answer)
    assert statuses(answer)[0] < 500 or statuses(answer)[0] == 501
    assert b"squeamish" not in answer


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=-1", "limit=nan", "limit=x", "limit=", "state=", "state=DONE", "state=done'",
    "before=nobody", "before=", "limit=1e400&state=x"],
)  # fmt: skip
def test_a_question_that_makes_no_sense_is_refused(server: Served, query: str):
    assert server.request("GET", f"/v1/jobs?{query}").status in {400, 404}


@pytest.mark.parametrize("query", ["limit=1001", "limit=99999999999999999999"])
def test_a_question_for_too_much_is_answered_with_less(server: Served, query: str):
    assert server.request("GET", f"/v1/jobs?{query}").status == 200
