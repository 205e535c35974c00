"""The door between a caller and a simulator: nothing that either sends is read in two ways, or means more."""

from __future__ import annotations

import http.client
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from security.test_requests import SECRET, SMUGGLED
from support.doors import door
from support.raw import Reply, run_body
from support.serving import Served, exchange, request, serving, statuses
from support.upstream import Does, Upstream, answer, silent, upstream
from support.waiting import wait_until

HTML = b"<!doctype html><script>document.title = 'taken over'</script>"
CHUNKED = "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"

BROKEN: dict[str, Does] = {
    "nothing": lambda connection: None,
    "no-http": b"hello\r\n\r\n",
    "no-status": b"HTTP/1.1\r\n\r\n",
    "status-of-four-digits": b"HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\n{}",
    "another-protocol": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
    "two-lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 4\r\n\r\n{}{}",
    "signed-length": b"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\n{}",
    "length-and-chunks": f"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n{CHUNKED}2\r\n{{}}\r\n0\r\n\r\n".encode(),
    "chunked-twice": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "header-without-colon": b"HTTP/1.1 200 OK\r\nhello\r\nContent-Length: 2\r\n\r\n{}",
    "name-of-two-words": b"HTTP/1.1 200 OK\r\nX Y: z\r\nContent-Length: 2\r\n\r\n{}",
    "NUL": b"HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 2\r\n\r\n{}",
    "bare-CR": b"HTTP/1.1 200 OK\r\nX: a\rSet-Cookie: a=b\r\nContent-Length: 2\r\n\r\n{}",
    "huge-header": b"HTTP/1.1 200 OK\r\nX: " + b"a" * 1_000_000 + b"\r\nContent-Length: 2\r\n\r\n{}",
    "many-headers": b"HTTP/1.1 200 OK\r\n" + b"X: a\r\n" * 100_000 + b"Content-Length: 2\r\n\r\n{}",
}
"""Answers that are none: whoever asked is told so, in our words."""

CUT: dict[str, Does] = {
    "short": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{}",
    "short-chunks": f"HTTP/1.1 200 OK\r\n{CHUNKED}2\r\n{{}}\r\n".encode(),
    "broken-chunks": f"HTTP/1.1 200 OK\r\n{CHUNKED}2\r\n{{}}\r\nzz\r\n\r\n".encode(),
}
"""Answers that end before their end: nobody may take them for whole."""

TWO = answer(b'{"number": 1}', "Content-Type: application/json") + answer(b'{"number": 2}')
TELLING = answer(
    b"{}",
    "Content-Type: application/json",
    "Connection: keep-alive, X-Private",
    "X-Private: 1",
    "Keep-Alive: timeout=1",
    "Proxy-Authenticate: Basic",
    "Upgrade: h2c",
    "Set-Cookie: a=b",
    "Access-Control-Allow-Origin: *",
    "Access-Control-Allow-Credentials: true",
    "Clear-Site-Data: *",
    "Refresh: 0; url=http://evil.example/",
    "Service-Worker-Allowed: /",
    "Strict-Transport-Security: max-age=1",
    "SourceMap: http://evil.example/x",
)
REDIRECT = answer(b"", "Location: http://127.0.0.1:1/elsewhere", status="302 Found")


PASSWORD = answer(b"{}", 'WWW-Authenticate: Basic realm="the door"', status="401 Unauthorized")
TOKEN = answer(b"{}", "WWW-Authenticate: Bearer", status="401 Unauthorized")


@pytest.fixture(scope="module")
def hostile() -> Iterator[Upstream]:
    """What stands where a simulator should stand."""
    answers: dict[str, Does] = {
        **BROKEN,
        **CUT,
        "two-answers": TWO,
        "telling": TELLING,
        "redirect": REDIRECT,
        "password": PASSWORD,
        "token": TOKEN,
        "html": answer(HTML, "Content-Type: text/html"),
        "silent": silent,
    }
    with upstream({f"/{name}": does for name, does in answers.items()}) as running:
        yield running


@pytest.fixture(scope="module")
def opened(hostile: Upstream) -> Iterator[Served]:
    """A door with a simulator and something hostile behind it."""
    with ExitStack() as stack:
        fake = stack.enter_context(serving())
        yield stack.enter_context(door({"fake": fake, "hostile": hostile.url}))


def get(opened: Served, path: str, *headers: str) -> bytes:
    return exchange(opened, request("GET", f"/v1/simulators/hostile/{path}", *headers))


def heads(data: bytes) -> dict[str, str]:
    """Return the headers of a request or answer by their names in small letters; a name that is there twice fails."""
    lines = data.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
    pairs = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    assert len(dict(pairs)) == len(pairs), pairs
    return dict(pairs)


def run_is_fine(opened: Served) -> None:
    assert opened.request("POST", "/v1/simulators/fake/v1/run", run_body()).status == 200


# ---------------------------------------------------------------------------- what a simulator is sent


def test_a_request_arrives_once_byte_for_byte_and_framed_by_its_length(opened: Served, hostile: Upstream):
    body = b'{"circuits": "\xc3\xa9\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n"}'
    opened.request("POST", "/v1/simulators/hostile/v1/once?a=%2F&b=c%0D%0A", body)
    (arrived,) = hostile.received("/v1/once")
    line, _, rest = arrived.partition(b"\r\n")
    assert line == b"POST /v1/once?a=%2F&b=c%0D%0A HTTP/1.1"
    assert rest.partition(b"\r\n\r\n")[2] == body
    headers = heads(arrived)
    assert headers["content-length"] == str(len(body))
    assert headers["content-type"] == "application/json"
    assert "transfer-encoding" not in headers
    assert headers["host"] == f"127.0.0.1:{hostile.port}"


@pytest.mark.parametrize("name", SMUGGLED)
def test_framing_that_can_be_read_in_two_ways_reaches_no_simulator(opened: Served, hostile: Upstream, name: str):
    hostile.requests.clear()
    secret = SECRET.replace(b"/v1/backend", b"/v1/simulators/hostile/smuggled")
    sent = SMUGGLED[name].replace(SECRET, secret).replace(b"/v1/run", b"/v1/simulators/hostile/front")
    reply = exchange(opened, sent)
    assert all(status >= 400 for status in statuses(reply)), reply[:300]
    assert len(statuses(reply)) <= 1
    assert hostile.received("smuggled") == hostile.received("front") == []
    run_is_fine(opened)


def test_what_concerns_one_connection_alone_goes_no_further(opened: Served, hostile: Upstream):
    own = (
        "Connection: keep-alive, X-Private",
        "X-Private: 1",
        "Keep-Alive: timeout=5",
        "Proxy-Authorization: Basic eA==",
        "Proxy-Connection: keep-alive",
        "TE: trailers",
        "Upgrade: h2c",
        "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA",
    )
    plain = request("GET", "/v1/simulators/hostile/hops", *own, "X-Kept: 1").replace(b"Connection: close\r\n", b"")
    exchange(opened, plain)
    for arrived in hostile.received("hops"):  # it may have been refused instead
        names = set(heads(arrived)) - {"connection"}
        assert not names & {line.partition(":")[0].lower() for line in own}
        assert "upgrade" not in heads(arrived).get("connection", "").lower()


def test_a_request_that_does_not_say_how_long_it_is_is_told_so(opened: Served, hostile: Upstream):
    reply = exchange(opened, request("POST", "/v1/simulators/hostile/lengthless"))
    assert statuses(reply) == [411], reply
    assert hostile.received("lengthless") == []


TRICKS = [
    "../../../healthz", "../fake/v1/backend", "%2e%2e/%2e%2e/%2e%2e/healthz", "..%2f..%2fhealthz", "..%5c..%5chealthz",
    "..;/..;/healthz", "./././x", "x/../../../../../../healthz", "//evil.example/x", "http://evil.example/x",
    "@evil.example/x", ":80/x", "%00", "x%00.json", "x%0d%0aX-Injected:%201", "x%20HTTP/1.1", "x%23y", "x%3Fy",
    "%2fetc", "%252e%252e/x", "%c0%ae%c0%ae/x", "%", "%zz", "x?y=%0d%0aX-Injected:%201", "x#fragment", "\\..\\x",
]  # fmt: skip


@pytest.mark.parametrize("trick", TRICKS)
def test_a_path_is_passed_on_as_it_is_written_or_refused(opened: Served, hostile: Upstream, trick: str):
    before = len(hostile.requests)
    reply = get(opened, trick)
    assert b"HTTP/1.1 5" not in reply
    targets = [each.split(b" ")[1].decode("latin-1") for each in hostile.requests[before:]]
    reached = [target for target in targets if target not in {"/v1/backend", "/readyz", "/healthz", "/metrics"}]
    assert reached in ([], ["/" + trick.partition("#")[0]]), reached
    assert not [each for each in hostile.requests[before:] if "x-injected" in heads(each)]
    if re.search(r"(^|[/\\\\])(\.\.|%2e%2e)|%2f|%5c", trick, re.IGNORECASE) and "..;" not in trick:
        assert reached == [], "a simulator might take the path for another one"


NAMES = [
    "..", "hostile%2f..%2ffake", "hostile/..", "127.0.0.1:1", "127.0.0.1", "hostile@127.0.0.1:1", "http:", "hostile%00",
    "hostile%20", "HOSTILE", "hostile:80", "%68ostile%2f", "", "*", "a" * 3_000,
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_what_is_no_name_of_a_simulator_leads_nowhere(opened: Served, name: str):
    reply = exchange(opened, request("GET", f"/v1/simulators/{name}/v1/backend"))
    (status,) = statuses(reply)
    assert status in {400, 404, 414, 431}, reply[:200]
    assert b"bit_order" not in reply


def test_an_absolute_address_is_that_of_the_door(opened: Served, hostile: Upstream):
    reply = exchange(opened, request("GET", f"http://127.0.0.1:{hostile.port}/absolute"))
    assert statuses(reply) in ([400], [404])
    assert hostile.received("absolute") == []


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "TRACK", "PROPFIND", "get", "GET\t"])
def test_a_method_that_no_simulator_has_goes_no_further(opened: Served, hostile: Upstream, method: str):
    reply = exchange(opened, request(method, "/v1/simulators/hostile/strange-method"))
    assert all(400 <= status < 500 or status == 501 for status in statuses(reply)), reply[:200]
    assert hostile.received("strange-method") == []


def test_a_head_has_no_body_and_the_next_answer_is_whole(opened: Served):
    first = request("HEAD", "/v1/simulators/fake/v1/backend").replace(b"Connection: close\r\n", b"")
    reply = exchange(opened, first + request("GET", "/v1/simulators/fake/healthz"))
    assert statuses(reply) == [200, 200]
    assert reply.count(b"\r\n\r\n") == 2
    assert reply.endswith(b'{"status":"ok"}')


def test_several_requests_in_one_go_are_answered_in_their_order(opened: Served):
    paths = ("/v1/simulators/fake/v1/backend", "/healthz", "/v1/simulators/nobody/x", "/v1/simulators/fake/healthz")
    sent = b"".join(request("GET", path) for path in paths).replace(b"Connection: close\r\n", b"", len(paths) - 1)
    assert statuses(exchange(opened, sent)) == [200, 200, 404, 200]


# ---------------------------------------------------------------------------- what a simulator answers


@pytest.mark.parametrize("name", BROKEN)
def test_an_answer_that_is_none_is_told_in_our_words(opened: Served, name: str):
    reply = get(opened, name)
    (status,) = statuses(reply)
    assert status in {502, 503, 504}, reply[:300]
    assert heads(reply)["content-type"] == "application/problem+json"
    assert b"hostile" in reply, "it names the simulator"
    assert b"Traceback" not in reply
    run_is_fine(opened)


@pytest.mark.parametrize("name", CUT)
def test_an_answer_that_was_cut_short_is_not_taken_for_whole(opened: Served, name: str):
    try:
        reply: Reply | None = opened.request("GET", f"/v1/simulators/hostile/{name}")
    except (http.client.HTTPException, OSError):
        reply = None
    assert reply is None or reply.status in {502, 503, 504}
    run_is_fine(opened)


def test_an_answer_too_many_is_nobodys(opened: Served):
    for _ in range(5):
        first = opened.request("GET", "/v1/simulators/hostile/two-answers")
        assert first.status >= 500 or first.json == {"number": 1}
        for path in ("one", "another"):
            assert opened.request("GET", f"/v1/simulators/hostile/{path}").body == b"{}"


def test_no_header_of_an_answer_speaks_for_the_door(opened: Served):
    headers = heads(get(opened, "telling"))
    told = set(heads(TELLING)) - {"content-type", "content-length", "connection"}
    assert not told & set(headers)
    assert headers["x-content-type-options"] == "nosniff"


def test_a_document_of_a_simulator_runs_nothing_at_the_address_of_the_door(opened: Served):
    reply = opened.request("GET", "/v1/simulators/hostile/html")
    policies = " ".join(reply.headers.get_all("Content-Security-Policy", []))
    assert re.search(r"sandbox(?! allow-scripts)", policies), policies
    assert "default-src 'none'" in policies
    assert "script-src" not in policies


def test_a_simulator_may_want_a_token_and_has_no_browser_ask_for_a_password(opened: Served):
    for name, challenge in (("password", None), ("token", "Bearer")):
        reply = opened.request("GET", f"/v1/simulators/hostile/{name}")
        assert (reply.status, reply.headers.get("WWW-Authenticate")) == (401, challenge)


def test_no_redirection_is_followed(opened: Served, hostile: Upstream):
    reply = opened.request("GET", "/v1/simulators/hostile/redirect")
    assert reply.status in {302, 502}
    assert hostile.received("elsewhere") == []


# ---------------------------------------------------------------------------- simulators that take their time


def test_others_are_answered_while_two_hundred_wait_for_a_simulator_that_is_silent(opened: Served, hostile: Upstream):
    with ExitStack() as stack:
        for number in range(200):
            waiting = stack.enter_context(socket.create_connection((opened.host, opened.port), 30))
            waiting.sendall(request("GET", f"/v1/simulators/hostile/silent?{number}"))
        wait_until(lambda: len(hostile.received("/silent")) >= 100, "many requests to wait for the silent simulator")
        for _ in range(3):
            run_is_fine(opened)
            assert opened.request("GET", "/healthz").status == 200
            assert opened.request("GET", "/v1/simulators").status == 200


def test_headers_that_are_sent_twice_are_not_chosen_from(opened: Served, hostile: Upstream):
    reply = exchange(
        opened,
        request("GET", "/v1/simulators/hostile/twice", "Authorization: Bearer a", "Authorization: Bearer b"),
    )
    arrived = hostile.received("twice")
    assert statuses(reply) in ([400], [401]) or heads(arrived[0]).get("authorization") != "Bearer b"
