"""The door's own interface: who is let in, what they may do, whose comparisons they see, and which pages may ask."""

from __future__ import annotations

import hashlib
import json
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import pytest
from security.test_requests import SMUGGLED
from support.doors import door
from support.fake import Does, fake
from support.raw import JSON, Reply, Server, alive
from support.serving import Served, exchange, request, serving, statuses
from support.waiting import wait_until

from gateway.protocol.door import ENDPOINTS
from gateway.protocol.door import SIMULATOR_PATH as RELAYED

NAMES = ("annabel", "bob", "carl", "runner", "looker", "chief")
ANN, BOB, CARL, RUNNER, LOOKER, CHIEF = (f"token-of-{name}" for name in NAMES)
USUAL = "run,compare"
RIGHTS = {ANN: USUAL, BOB: USUAL, CARL: USUAL, RUNNER: "run", LOOKER: "compare", CHIEF: "run,compare,admin"}
OPEN = {"/", "/docs", "/healthz", "/readyz", "/openapi.json"}
BELL = "OPENQASM 3;\nqubit[2] q;\nbit[2] c;\nh q[0];\ncx q[0], q[1];\nc = measure q;\n"
RUN = json.dumps({"circuits": BELL}).encode()
SLOW = fake(Does.WAIT).to_openqasm3()
STREAMS = 300
FRIEND = "https://friend.example"


def bearer(token: str) -> dict[str, str]:
    return {**JSON, "Authorization": f"Bearer {token}"} if token else JSON


def comparison(text: str = BELL, name: str = "bell.qasm", **fields: object) -> bytes:
    return json.dumps({"circuits": [{"name": name, "openqasm": text}], "shots": 100, **fields}).encode()


def submit(opened: Served, token: str, body: bytes | None = None) -> str:
    reply = opened.request("POST", "/v1/comparisons", comparison() if body is None else body, bearer(token))
    assert reply.status == 202, reply.body
    return str(reply.json["id"])


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("tokens") / "tokens"
    digests = {token: hashlib.sha256(token.encode()).hexdigest() for token in RIGHTS}
    lines = [f"{token.removeprefix('token-of-')} sha256:{digests[token]} {rights}" for token, rights in RIGHTS.items()]
    file.write_text("\n".join(lines))
    file.chmod(0o600)
    return file


@pytest.fixture(scope="module")
def known(tokens: Path) -> list[str]:
    """The options by which a door and its simulators know the same tokens, and each other."""
    return ["--tokens", str(tokens), "--door-key", str(tokens.with_name("door.key"))]


@pytest.fixture(scope="module")
def fakes(known: list[str]) -> Iterator[dict[str, Served]]:
    """Two simulators."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(serving(*known)) for name in ("fake", "other")}


@pytest.fixture(scope="module")
def guarded(fakes: dict[str, Served], known: list[str]) -> Iterator[Served]:
    """A door with tokens of several rights, which sees that its simulators are ready."""
    with door(fakes, *known) as opened:
        wait_until(lambda: _ready(opened) == set(fakes), lambda: f"all simulators to be ready, not {_ready(opened)}")
        yield opened


def _ready(opened: Served) -> set[str]:
    found = opened.request("GET", "/v1/simulators", None, bearer(CHIEF)).json["simulators"]
    return {each["name"] for each in found if each["state"] == "ready"}


@pytest.fixture(scope="module")
def unguarded() -> Iterator[Served]:
    """A door that needs no token, on this machine, and that pages of a friend may ask."""
    with ExitStack() as stack:
        fake_server = stack.enter_context(serving())
        yield stack.enter_context(door({"fake": fake_server}, "--allow-origin", FRIEND))


# ---------------------------------------------------------------------------- tokens and rights

ROUTES = sorted(
    {(row.method, row.path.replace("{comparison_id}", "x").replace("{format}", "svg")) for row in ENDPOINTS.values()}
    | {("GET", RELAYED.replace("{name}", "fake").replace("{path}", path)) for path in ("v1/backend", "metrics", "")}
    | {("POST", "/v1/simulators/fake/v1/run"), ("GET", "/nowhere"), ("DELETE", "/v1/simulators/fake"), ("PUT", "/")}
)


@pytest.mark.parametrize(("method", "path"), [row for row in ROUTES if row[1] not in OPEN])
@pytest.mark.parametrize("header", ["", "Bearer wrong", f"Bearer {ANN}x", f"Basic {ANN}", ANN])
def test_without_a_token_nothing_is_answered_but_the_page_and_the_probes(guarded: Served, method, path, header):
    headers = {**JSON, "Gateway-Caller": "annabel", **({"Authorization": header} if header else {})}
    reply = guarded.request(method, path, b"{}" if method == "POST" else None, headers)
    assert reply.status == 401, reply.body
    assert reply.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("path", sorted(OPEN))
def test_what_is_answered_to_everybody_tells_nothing_of_simulators_callers_or_comparisons(guarded: Served, path: str):
    submit(guarded, ANN, comparison(name="secret-circuit.qasm"))
    reply = guarded.request("GET", path, None, {})
    assert reply.status in {200, 401}
    for secret in (b"secret-circuit", b"annabel", b"127.0.0.1:", *(token.encode() for token in RIGHTS)):
        assert secret not in reply.body.replace(f"127.0.0.1:{guarded.port}".encode(), b"")


MAY_NOT = [
    (RUNNER, "POST", "/v1/comparisons", comparison()),
    (LOOKER, "POST", "/v1/simulators/fake/v1/run", RUN),
    (LOOKER, "POST", "/v1/simulators/fake/v1/jobs", RUN),
    (ANN, "GET", "/metrics", None),
    (RUNNER, "GET", "/metrics", None),
]


@pytest.mark.parametrize(("token", "method", "path", "body"), MAY_NOT)
def test_a_right_that_a_token_lacks_is_named(guarded: Served, token, method, path, body):
    reply = guarded.request(method, path, body, bearer(token))
    assert (reply.status, reply.json["code"]) == (403, "forbidden")
    assert reply.json["right"] in {"run", "compare", "admin"}
    assert reply.json["right"] not in RIGHTS[token].split(",")


@pytest.mark.parametrize(("token", "method", "path", "body"), MAY_NOT)
def test_who_has_the_right_may(guarded: Served, token, method, path, body):
    assert guarded.request(method, path, body, bearer(CHIEF)).status in {200, 202}


def test_a_caller_is_who_their_token_says_and_no_header(guarded: Served):
    ours = guarded.request("POST", "/v1/simulators/fake/v1/jobs", RUN, bearer(ANN)).json["id"]
    claims = {**bearer(BOB), "Gateway-Caller": "annabel", "X-Forwarded-User": "annabel"}
    assert guarded.request("GET", f"/v1/simulators/fake/v1/jobs/{ours}", None, claims).status == 404
    assert guarded.request("GET", "/v1/door", None, claims).json["name"] == "bob"


# ---------------------------------------------------------------------------- comparisons of others


def of_one(comparison_id: str) -> list[tuple[str, str]]:
    """Return every request about one comparison."""
    paths = [(row.method, row.path) for row in ENDPOINTS.values() if "{comparison_id}" in row.path]
    return [
        (method, path.replace("{comparison_id}", comparison_id).replace("{format}", "svg")) for method, path in paths
    ]


def test_comparisons_of_somebody_else_do_not_exist(guarded: Served):
    theirs = submit(guarded, ANN)
    absent = {(method, path): guarded.request(method, path, None, bearer(BOB)) for method, path in of_one("nothing")}
    for method, path in of_one(theirs):
        reply = guarded.request(method, path, None, bearer(BOB))
        other = absent[method, path.replace(theirs, "nothing")]
        assert (reply.status, reply.json["code"]) == (other.status, other.json["code"]) == (404, "job-not-found")
        assert reply.body.replace(theirs.encode(), b"") == other.body.replace(b"nothing", b""), "nor is it told apart"
    assert theirs not in guarded.request("GET", "/v1/comparisons?limit=1000", None, bearer(BOB)).body.decode()
    assert guarded.request("GET", f"/v1/comparisons?before={theirs}", None, bearer(BOB)).status == 404
    ended = guarded.request("GET", f"/v1/comparisons/{theirs}?wait_s=60", None, bearer(ANN)).json
    assert ended["state"] == "finished", "nobody cancelled it"


def test_numbers_of_comparisons_tell_nothing_of_others(guarded: Served):
    def counted(token: str) -> tuple[int, int]:
        found = guarded.request("GET", "/v1/comparisons", None, bearer(token)).json
        return found.get("total", 0), found.get("running", 0)

    before = counted(BOB)
    submit(guarded, ANN)
    assert counted(BOB) == before


def test_who_has_the_right_sees_and_cancels_everybodys(guarded: Served, fakes: dict[str, Served]):
    theirs = submit(guarded, ANN, comparison(SLOW))
    assert theirs in guarded.request("GET", "/v1/comparisons", None, bearer(CHIEF)).body.decode()
    assert guarded.request("DELETE", f"/v1/comparisons/{theirs}", None, bearer(CHIEF)).status == 200
    ended = wait_until(
        lambda: _final(guarded.request("GET", f"/v1/comparisons/{theirs}?wait_s=5", None, bearer(ANN))),
        "the end of the comparison",
    )
    assert (ended["state"], ended["cancelled_by"]) == ("cancelled", "chief")
    for server in fakes.values():
        server.let_go()


def _final(reply: Reply) -> dict[str, object]:
    return reply.json if reply.json["state"] in {"finished", "failed", "cancelled"} else {}


def test_an_idempotency_key_is_its_holders_own(guarded: Served):
    def submitted(token: str) -> object:
        headers = {**bearer(token), "Idempotency-Key": "same"}
        return guarded.request("POST", "/v1/comparisons", comparison(), headers).json["id"]

    assert submitted(ANN) == submitted(ANN) != submitted(BOB)


def test_the_runs_of_a_comparison_are_those_of_who_asked_for_it(guarded: Served, fakes: dict[str, Served]):
    done = submit(guarded, CARL)
    assert guarded.request("GET", f"/v1/comparisons/{done}?wait_s=60", None, bearer(CARL)).json["state"] == "finished"
    for server in fakes.values():
        callers = set(re.findall(r'"caller":"([^"]*)"', server.log()))
        assert "carl" in callers
        assert callers <= {*NAMES}, callers


def test_no_token_is_in_a_log_a_metric_or_a_file(guarded: Served, fakes: dict[str, Served], tokens: Path):
    submit(guarded, ANN)
    logs = guarded.log() + "".join(server.log() for server in fakes.values())
    metrics = guarded.request("GET", "/metrics", None, bearer(CHIEF)).body.decode()
    for token in RIGHTS:
        for secret in (token, hashlib.sha256(token.encode()).hexdigest()):
            assert secret not in logs + metrics


# ---------------------------------------------------------------------------- web pages

FOREIGN = [
    "https://evil.example",
    "null",
    "http://localhost:1",
    "http://127.0.0.1",
    "https://127.0.0.1:{port}",
    "*",
    "",
]


@pytest.mark.parametrize("origin", FOREIGN)
@pytest.mark.parametrize("path", ["/v1/comparisons", "/v1/circuits", "/v1/simulators/fake/v1/run"])
def test_pages_of_other_origins_may_ask_nothing(unguarded: Served, origin: str, path: str):
    headers = {**JSON, "Origin": origin}
    reply = unguarded.request("POST", path, comparison(), headers)
    assert (reply.status, reply.json["code"]) == (403, "origin-refused")
    assert "Access-Control-Allow-Origin" not in reply.headers


EVERYWHERE = {
    "the application": ("/v1/simulators", 200),
    "a simulator": ("/v1/simulators/fake/v1/backend", 200),
    "a simulator's refusal": ("/v1/simulators/fake/v1/jobs/x", 404),
    "no simulator": ("/v1/simulators/nobody/v1/backend", 404),
    "no stream": ("/v1/comparisons/x/events", 404),
}


@pytest.mark.parametrize("who", EVERYWHERE)
def test_pages_of_an_allowed_origin_may_read_every_answer(unguarded: Served, who: str):
    path, status = EVERYWHERE[who]
    reply = unguarded.request("GET", path, None, {"Origin": FRIEND, "Sec-Fetch-Site": "cross-site"})
    assert reply.status == status
    assert reply.headers["Access-Control-Allow-Origin"] == FRIEND
    assert reply.headers["Vary"] == "Origin"
    assert "Access-Control-Allow-Credentials" not in reply.headers


def test_pages_of_an_allowed_origin_may_read_events(unguarded: Served, running: str):
    with Stream(unguarded, running, f"Origin: {FRIEND}") as stream:
        assert stream.status() == 200
        assert f"Access-Control-Allow-Origin: {FRIEND}".encode() in stream.received


@pytest.mark.parametrize("path", ["/v1/comparisons", "/v1/simulators/fake/v1/backend", "/v1/comparisons/x/result"])
@pytest.mark.parametrize("mode", ["no-cors", "cors", "navigate", "websocket"])
def test_what_another_page_loads_is_refused(unguarded: Served, path: str, mode: str):
    reply = unguarded.request("GET", path, None, {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": mode})
    assert (reply.status, reply.json["code"]) == (403, "origin-refused")


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_page_may_lead_to_ours_and_not_hold_it(unguarded: Served, site: str):
    leading = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    reply = unguarded.request("GET", "/", None, leading)
    assert reply.status == 200
    assert "frame-ancestors 'none'" in reply.headers["Content-Security-Policy"]
    for holding in ("iframe", "frame", "embed", "object"):
        assert unguarded.request("GET", "/", None, {**leading, "Sec-Fetch-Dest": holding}).status == 403


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]
)
@pytest.mark.parametrize("path", ["/v1/comparisons", "/v1/circuits"])
def test_what_a_form_can_send_is_no_request(unguarded: Served, path: str, kind: str):
    assert unguarded.request("POST", path, comparison(), {"Content-Type": kind}).status == 415


def test_the_own_page_may_ask_and_no_other_name_of_it(unguarded: Served):
    own = {**JSON, "Origin": f"http://127.0.0.1:{unguarded.port}", "Sec-Fetch-Site": "same-origin"}
    assert unguarded.request("POST", "/v1/circuits", json.dumps({"openqasm": BELL}).encode(), own).status == 200
    body = json.dumps({"openqasm": BELL}).encode()
    headers = ("Content-Type: application/json", f"Content-Length: {len(body)}", "Origin: http://evil.example")
    rebound = exchange(unguarded, request("POST", "/v1/circuits", *headers, body=body, host="evil.example"))
    assert statuses(rebound) == [400], "a name that was led to this machine is none of ours"


PAGES = [
    "/", "/docs", "/app.js", "/app.css", "/v1/comparisons/x/result", "/v1/door", "/nowhere", "/openapi.json",
    "/v1/comparisons/x/events", "/v1/simulators/fake/v1/backend", "/v1/simulators/nobody/v1/backend",
]  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
def test_every_answer_says_what_a_browser_may_do_with_it(unguarded: Served, path: str):
    reply = unguarded.request("GET", path)
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in reply.headers
    if "html" not in reply.headers["Content-Type"]:
        return
    policy = dict(part.strip().partition(" ")[::2] for part in reply.headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert not {"*", "'unsafe-inline'", "'unsafe-eval'", "http:", "https:"} & set(" ".join(policy.values()).split())
    assert {"base-uri", "frame-ancestors"} <= {name for name, value in policy.items() if value == "'none'"}
    assert reply.headers["Referrer-Policy"] == "no-referrer"
    assert reply.headers["Cross-Origin-Opener-Policy"] == "same-origin"


def test_browsers_keep_for_ever_only_what_the_page_asks_for(unguarded: Served):
    page = unguarded.request("GET", "/").body.decode()
    for path in re.findall(r'"(app\.\w+\?v=\w+)"', page):
        assert "immutable" in unguarded.request("GET", f"/{path}").headers["Cache-Control"]
        for other in (path[:-1], f"{path}0", path.partition("?")[0]):
            assert unguarded.request("GET", f"/{other}").headers["Cache-Control"] == "no-cache"


# ---------------------------------------------------------------------------- framing and sizes


@pytest.mark.parametrize("name", SMUGGLED)
def test_framing_that_can_be_read_in_two_ways_is_refused(unguarded: Served, name: str):
    sent = SMUGGLED[name].replace(b"/v1/run", b"/v1/comparisons").replace(b"/v1/backend", b"/v1/simulators")
    answer = exchange(unguarded, sent)
    assert b"capabilities" not in answer
    assert all(status >= 400 for status in statuses(answer)), answer[:300]
    assert len(statuses(answer)) <= 1
    assert unguarded.request("GET", "/v1/door").status == 200


IDS = [
    "..",
    "%2e%2e",
    "../door",
    "%2e%2e%2fdoor",
    "x%00",
    "x/../../door",
    "'; DROP TABLE comparisons; --",
    "%27",
    "a" * 900,
]


@pytest.mark.parametrize("comparison_id", IDS)
def test_what_is_no_id_finds_nothing(unguarded: Served, comparison_id: str):
    for rest in ("", "/record", "/result", "/report.html", "/picture.svg", "/events", "/request", "/outcomes.csv"):
        path = f"/v1/comparisons/{comparison_id}{rest}".replace(" ", "%20")
        reply = unguarded.request("GET", path)
        assert reply.status in {400, 404, 405}, (path, reply.body[:200])
        assert reply.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("format_", ["svg%00", "exe", "../../x", "", "SVG", "svg/x"])
def test_what_is_no_format_of_a_picture_is_not_made(unguarded: Served, format_: str):
    done = submit(unguarded, "")
    assert unguarded.request("GET", f"/v1/comparisons/{done}/picture.{format_}").status in {400, 404}


HOSTILE_BODIES = {
    "no JSON": b"{",
    "a list": b"[]",
    "no circuits": b'{"circuits": []}',
    "a name too long": comparison(name="a" * 256),
    "no name": comparison(name=""),
    "the same name twice": json.dumps({"circuits": [{"name": "a", "openqasm": BELL}] * 2}).encode(),
    "an unknown field": comparison(surprise=1),
    "an unknown simulator": comparison(simulators=["nobody"]),
    "an address as a simulator": comparison(simulators=["http://127.0.0.1:1"]),
    "no simulators": comparison(simulators=[]),
    "negative shots": comparison(shots=-1),
    "a resolution of nothing": comparison(shots=None, resolution=0),
    "nested": b'{"circuits": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "a number too large": comparison(seed=2**70),
    "an include": comparison('OPENQASM 3;\ninclude "/etc/passwd";\n'),
    "no OpenQASM": comparison("hello"),
    "a thousand million qubits": comparison("OPENQASM 3;\nqubit[1000000000] q;\nx q;"),
    "two to the forty gates": comparison("OPENQASM 3; qubit q; for int i in [0:1099511627776] { x q; }"),
    "parentheses": comparison("OPENQASM 3;\nqubit q;\nrx(" + "(" * 200_000 + "1" + ")" * 200_000 + ") q;"),
}


@pytest.mark.parametrize("name", HOSTILE_BODIES)
def test_a_comparison_that_cannot_be_is_refused_and_the_next_one_runs(unguarded: Served, name: str):
    reply = unguarded.request("POST", "/v1/comparisons", HOSTILE_BODIES[name])
    assert 400 <= reply.status < 500, reply.body[:300]
    assert reply.headers["Content-Type"] == "application/problem+json"
    assert b"root:" not in reply.body
    assert b"Traceback" not in reply.body
    assert unguarded.request("GET", "/v1/door").status == 200


@pytest.mark.parametrize(
    "text", ["", "\0", "OPENQASM 3;" * 10_000, "\U0001f600" * 1_000, "gate " * 10_000, "{" * 200_000]
)
def test_any_text_is_told_what_is_wrong_with_it(unguarded: Served, text: str):
    reply = unguarded.request("POST", "/v1/circuits", json.dumps({"openqasm": text}).encode())
    assert reply.status in {200, 413}, reply.body[:300]
    assert unguarded.request("GET", "/v1/door").status == 200


# ---------------------------------------------------------------------------- event streams


class Stream:
    """A reader of events."""

    def __init__(self, opened: Served, comparison_id: str, *headers: str) -> None:
        self._connection = socket.create_connection((opened.host, opened.port), 30)
        self._connection.sendall(request("GET", f"/v1/comparisons/{comparison_id}/events", *headers))
        self.received = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def status(self) -> int:
        """Wait for the first event, or for the end of another answer, and return the status."""
        while b"data:" not in self.received and (part := self._connection.recv(2**16)):
            self.received += part
        return int(self.received.split(b" ", 2)[1])

    def last(self) -> dict[str, object]:
        """Read to the end, and return the last event."""
        while part := self._connection.recv(2**16):
            self.received += part
        found: dict[str, object] = json.loads(self.received.rpartition(b"data:")[2].splitlines()[0])
        return found


def status_of_another(opened: Served, comparison_id: str) -> int:
    with Stream(opened, comparison_id) as stream:
        return stream.status()


@pytest.fixture
def running(unguarded: Served) -> Iterator[str]:
    """A comparison that lasts for as long as the test."""
    started = submit(unguarded, "", comparison(SLOW))
    yield started
    unguarded.request("DELETE", f"/v1/comparisons/{started}")


def _descriptors(server: Server) -> int:
    (http_process,) = (pid for pid in _children(server.process.pid) if alive(pid))
    return len(list(Path(f"/proc/{http_process}/fd").iterdir()))


def _children(pid: int | None) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_others_are_answered_while_hundreds_watch_and_all_is_given_back(unguarded: Served, running: str):
    before = _descriptors(unguarded)
    with ExitStack() as stack:
        streams = [stack.enter_context(Stream(unguarded, running)) for _ in range(STREAMS)]
        assert {stream.status() for stream in streams} == {200}
        for _ in range(3):
            assert unguarded.request("POST", "/v1/circuits", json.dumps({"openqasm": BELL}).encode()).status == 200
            assert unguarded.request("GET", "/v1/simulators").status == 200
            assert unguarded.request("GET", "/v1/comparisons").status == 200
    wait_until(
        lambda: _descriptors(unguarded) <= before + 5,
        lambda: f"the descriptors of {STREAMS} streams to be given back: {before}, {_descriptors(unguarded)}",
    )
    assert status_of_another(unguarded, running) == 200


def test_all_who_watch_see_the_end(unguarded: Served, running: str):
    with ExitStack() as stack:
        streams = [stack.enter_context(Stream(unguarded, running)) for _ in range(50)]
        assert {stream.status() for stream in streams} == {200}
        unguarded.request("DELETE", f"/v1/comparisons/{running}")
        assert {stream.last()["state"] for stream in streams} == {"cancelled"}


def test_a_stream_too_many_is_told_so():
    with ExitStack() as stack:
        behind = stack.enter_context(serving())
        opened = stack.enter_context(door({"fake": behind}, env={"GATEWAY_MAX_EVENT_STREAMS": "5"}))
        started = submit(opened, "", comparison(SLOW))
        streams = [stack.enter_context(Stream(opened, started)) for _ in range(5)]
        assert [stream.status() for stream in streams] == [200] * 5
        reply = opened.request("GET", f"/v1/comparisons/{started}/events")
        assert (reply.status, reply.json["code"]) == (503, "busy")
        assert int(reply.headers["Retry-After"]) > 0
        streams[0].__exit__()
        wait_until(lambda: status_of_another(opened, started) == 200, "room for another stream")
        behind.let_go()


def test_a_reader_that_reads_nothing_holds_nobody_up(unguarded: Served, running: str):
    with ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(Stream(unguarded, running))
        brisk = stack.enter_context(Stream(unguarded, running))
        assert brisk.status() == 200
        unguarded.request("DELETE", f"/v1/comparisons/{running}")
        assert brisk.last()["state"] == "cancelled"
