"""Routes, content types and the strict decoding of requests, over a real server and in process."""

from __future__ import annotations

import hashlib
import http.client
import json
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from support.fake import FakeAdapter, fake
from support.raw import Server, run_body

from gateway.errors import LimitError
from gateway.execution.pool import InlineExecutor
from gateway.execution.runner import Runner
from gateway.protocol.messages import RunRequest, ServerLimits, encode
from gateway.server.access.authentication import Authentication
from gateway.server.access.tokens import Tokens, parse_tokens
from gateway.server.http.app import create_app
from gateway.server.service import Service

PROBLEM = "application/problem+json"
"""Every refusal takes milliseconds; this is for a busy machine."""

CIRCUIT = json.loads(run_body())["circuits"]


def body(**fields: object) -> bytes:
    """Return a request that may be malformed."""
    return json.dumps({"circuits": CIRCUIT, **fields}).encode()


REFUSED = {
    "an empty body": (b"", 400, "request-invalid"),
    "no JSON": (b"hello", 400, "request-invalid"),
    "null": (b"null", 400, "request-invalid"),
    "a number": (b"7", 400, "request-invalid"),
    "a list": (b"[]", 400, "request-invalid"),
    "JSON cut off": (body()[:-5], 400, "request-invalid"),
    "something after the JSON": (body() + b"{}", 400, "request-invalid"),
    "invalid UTF-8": (b'{"circuits": "\xff\xfe"}', 400, "request-invalid"),
    "half a surrogate pair": (b'{"circuits": "\\ud800"}', 400, "request-invalid"),
    "no circuits": (b"{}", 400, "request-invalid"),
    "an unknown field": (body(shot=7), 400, "request-invalid"),
    "an unknown field of a circuit": (body(circuits={**CIRCUIT, "name": "x"}), 400, "request-invalid"),
    "shots 0": (body(shots=0), 400, "request-invalid"),
    "shots -1": (body(shots=-1), 400, "request-invalid"),
    "shots 1.5": (body(shots=1.5), 400, "request-invalid"),
    "shots 1.0": (body(shots=1.0), 400, "request-invalid"),
    "shots true": (body(shots=True), 400, "request-invalid"),
    "shots as text": (body(shots="7"), 400, "request-invalid"),
    "shots NaN": (body(shots=float("nan")), 400, "request-invalid"),
    "shots an object": (body(shots={}), 400, "request-invalid"),
    "shots too many": (body(shots=10**12), 413, "limit-exceeded"),
    "shots beyond 64 bits": (body(shots=10**30), 413, "limit-exceeded"),
    "shots of 10,000 digits": (b'{"circuits":"","shots":' + b"9" * 10_000 + b"}", 400, "request-invalid"),
    "shots of one circuit too many": (body(circuits=[CIRCUIT] * 2, shots=[1, 10**12]), 413, "limit-exceeded"),
    "fewer shots than circuits": (body(circuits=[CIRCUIT] * 2, shots=[1]), 400, "request-invalid"),
    "more shots than circuits": (body(circuits=[CIRCUIT] * 2, shots=[1, 2, 3]), 400, "request-invalid"),
    "a shots list of none": (body(shots=[]), 400, "request-invalid"),
    "a null among the shots": (body(circuits=[CIRCUIT] * 2, shots=[1, None]), 400, "request-invalid"),
    "no circuit in the list": (body(circuits=[]), 400, "request-invalid"),
    "a list in the list": (body(circuits=[[CIRCUIT]]), 400, "request-invalid"),
    "too many circuits": (body(circuits=[CIRCUIT] * 11), 413, "limit-exceeded"),
    "a number as circuit": (body(circuits=7), 400, "request-invalid"),
    "null as circuit": (body(circuits=None), 400, "request-invalid"),
    "seed -1": (body(seed=-1), 400, "request-invalid"),
    "seed 2**32": (body(seed=2**32), 400, "request-invalid"),
    "seed 1.5": (body(seed=1.5), 400, "request-invalid"),
    "seed as text": (body(seed="1"), 400, "request-invalid"),
    "timeout 0": (body(timeout_s=0), 400, "request-invalid"),
    "timeout -1": (body(timeout_s=-1), 400, "request-invalid"),
    "timeout NaN": (body(timeout_s=float("nan")), 400, "request-invalid"),
    "timeout infinite": (body(timeout_s=float("inf")), 400, "request-invalid"),
    "timeout 1e999": (b'{"circuits":"","timeout_s":1e999}', 400, "request-invalid"),
    "timeout too long": (body(timeout_s=21), 413, "limit-exceeded"),
    "an unknown result": (body(result="unitary"), 400, "request-invalid"),
    "an unknown sampling": (body(sampling="magic"), 400, "request-invalid"),
    "JSON 200,000 lists deep": (b"[" * 200_000, 400, "request-invalid"),
    "JSON 200,000 objects deep": (b'{"a":' * 200_000, 400, "request-invalid"),
    "a condition 200,000 lists deep": (
        b'{"circuits":{"num_qubits":1,"operations":[["x",[0],[],[],' + b"[" * 200_000,
        400,
        "request-invalid",
    ),
    "a body over the limit": (b" " * (2**20 + 1), 413, "limit-exceeded"),
}


def _assert_is_problem(reply_status, content_type, found, status, code):
    assert (reply_status, found.get("code")) == (status, code), found
    assert content_type == PROBLEM
    assert found["status"] == status
    assert found["type"] == f"urn:simulator-gateway:problem:{code}"
    assert found["title"]
    assert found["detail"]


@pytest.mark.parametrize("name", REFUSED)
def test_a_malformed_request_is_a_problem_and_the_next_is_served(fake_server: Server, name: str):
    sent, status, code = REFUSED[name]
    before = fake_server.processes()
    reply = fake_server.run(sent)
    _assert_is_problem(reply.status, reply.headers["Content-Type"], reply.json, status, code)
    assert fake_server.run(run_body()).status == 200
    assert fake_server.processes() == before


@pytest.mark.parametrize("name", [name for name, (sent, _, _) in REFUSED.items() if sent])
def test_a_malformed_request_is_a_problem_in_process_too(app: FlaskClient, name: str):
    sent, status, code = REFUSED[name]
    reply = app.post("/v1/run", data=sent, content_type="application/json")
    _assert_is_problem(reply.status_code, reply.content_type, reply.get_json(force=True), status, code)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"shots": 0}, "shots"),
        ({"seed": 2**32}, "seed"),
        ({"timeout_s": 0}, "timeout_s"),
        ({"result": "x"}, "result"),
        ({"circuits": [CIRCUIT, 7]}, "circuits[1]"),
    ],
)
def test_a_refusal_names_the_field(app: FlaskClient, fields, field):
    found = app.post("/v1/run", data=body(**fields), content_type="application/json").get_json(force=True)
    assert found["field"].startswith(field.partition("[")[0])
    assert field.partition("[")[0] in found["detail"]


def test_a_limit_says_what_was_asked_and_what_is_allowed(app: FlaskClient):
    found = app.post("/v1/run", data=body(shots=10_001), content_type="application/json").get_json(force=True)
    assert (found["limit"], found["requested"], found["allowed"]) == ("max_shots", 10_001, 10_000)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/docs/", 404, "not-found"),
        ("GET", "/v2/run", 404, "not-found"),
        ("GET", "/v1/run/", 404, "not-found"),
        ("POST", "/v1/%00", 404, "not-found"),
        ("GET", "/v1/../../etc/passwd", 404, "not-found"),
        ("GET", "/v1/run", 405, "method-not-allowed"),
        ("PUT", "/v1/run", 405, "method-not-allowed"),
        ("POST", "/v1/backend", 405, "method-not-allowed"),
        ("DELETE", "/healthz", 405, "method-not-allowed"),
    ],
)
def test_wrong_paths_and_methods_are_problems(fake_server: Server, method, path, status, code):
    reply = fake_server.request(method, path, b"{}" if method in {"PUT", "POST"} else None)
    _assert_is_problem(reply.status, reply.headers["Content-Type"], reply.json, status, code)


def test_a_wrong_method_is_told_the_right_ones(fake_server: Server):
    assert "POST" in fake_server.request("GET", "/v1/run").headers["Allow"]


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded", "text/json", "*/*"])
def test_another_content_type_than_json_is_refused(fake_server: Server, content_type):
    headers = {} if content_type is None else {"Content-Type": content_type}
    reply = fake_server.request("POST", "/v1/run", run_body(), headers)
    _assert_is_problem(reply.status, reply.headers["Content-Type"], reply.json, 415, "unsupported-media-type")


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON"])
def test_json_may_be_named_in_any_spelling(fake_server: Server, content_type):
    assert fake_server.request("POST", "/v1/run", run_body(), {"Content-Type": content_type}).status == 200


def test_a_chunked_body_is_refused(fake_server: Server):
    connection = http.client.HTTPConnection("127.0.0.1", fake_server.port, timeout=10)
    chunks = iter([run_body()[:10], run_body()[10:]])
    connection.request("POST", "/v1/run", chunks, {"Content-Type": "application/json"}, encode_chunked=True)
    response = connection.getresponse()
    found = json.loads(response.read())
    connection.close()
    _assert_is_problem(response.status, response.headers["Content-Type"], found, 411, "length-required")


@pytest.mark.parametrize(("content_type", "status"), [("application/json", 413), ("text/plain", 415)])
def test_a_body_refused_unread_still_gets_its_answer(fake_server: Server, content_type, status):
    reply = fake_server.request("POST", "/v1/run", b" " * (7 * 2**20), {"Content-Type": content_type})
    assert reply.status == status


def test_a_client_sees_that_its_circuit_is_over_the_limit(fake_server: Server):
    with fake_server.client() as client, pytest.raises(LimitError, match="at most 1,048,576") as caught:
        client.run("OPENQASM 3;" + " " * 6 * 2**20)
    assert caught.value.allowed == 2**20


def test_a_refused_body_does_not_disturb_the_next_request_of_its_connection(fake_server: Server):
    connection = http.client.HTTPConnection("127.0.0.1", fake_server.port, timeout=10)
    statuses = []
    for sent in (b" " * (2**20 + 1), run_body(), b"no JSON", run_body()):
        connection.request("POST", "/v1/run", sent, {"Content-Type": "application/json"})
        response = connection.getresponse()
        response.read()
        statuses.append(response.status)
    connection.close()
    assert statuses == [413, 200, 400, 200]


@pytest.mark.parametrize(
    ("method", "path", "sent"),
    [("GET", "/healthz", None), ("GET", "/v1/backend", None), ("GET", "/openapi.json", None), ("POST", "/v1/run", b"")],
)
def test_answers_are_json(fake_server: Server, method, path, sent):
    reply = fake_server.request(method, path, None if sent is None else run_body())
    assert (reply.status, reply.headers["Content-Type"]) == (200, "application/json")
    assert reply.json


def test_health_answers_head_requests(fake_server: Server):
    reply = fake_server.request("HEAD", "/healthz")
    assert (reply.status, reply.body) == (200, b"")


@pytest.mark.parametrize("header", ["Basic dXNlcjpwYXNz", "Bearer", "Bearer ", "token"])
def test_a_token_in_another_form_than_bearer_is_refused(app: FlaskClient, header):
    reply = app.post("/v1/run", data=run_body(), content_type="application/json", headers={"Authorization": header})
    _assert_is_problem(reply.status_code, reply.content_type, reply.get_json(force=True), 401, "unauthenticated")


@pytest.mark.parametrize(
    ("header", "status"),
    [(None, 401), ("Bearer wrong", 401), ("Bearer sésame", 401), ("Bearer sesame", 200), ("bearer  sesame ", 200)],
)
def test_only_known_tokens_are_let_in_where_tokens_are_asked_for(header, status):
    digests = (hashlib.sha256(b"other").hexdigest(), hashlib.sha256(b"sesame").hexdigest())
    tokens = Tokens(parse_tokens(digests, "here"))
    service = Service.over(InlineExecutor(Runner(FakeAdapter(), ServerLimits())), authentication=Authentication(tokens))
    app = create_app(service).test_client()
    headers = {} if header is None else {"Authorization": header}
    assert app.get("/v1/backend", headers=headers).status_code == status
    assert app.get("/healthz").status_code == 200
    service.close()


def test_the_server_says_what_it_is_and_what_it_accepts(fake_server: Server):
    found = fake_server.request("GET", "/v1/backend").json
    assert found["name"] == "fake"
    assert found["protocol"] == "1"
    assert found["bit_order"] == "clbit0-rightmost"
    assert found["online"] is True
    assert found["limits"]["max_shots"] == 10_000
    assert set(found["native_gates"]) == {"gphase", "cx", "u"}
    assert {"h", "cx", "ccx", "rzz"} <= set(found["gates"])


def test_the_server_listens_on_loopback_only_by_default(fake_server: Server):
    assert fake_server.process.host == "127.0.0.1"


def test_a_surprise_inside_the_application_is_a_problem_without_its_words():
    class Surprising(InlineExecutor):
        def describe(self):
            raise ZeroDivisionError("secret")

    service = Service.over(Surprising(Runner(FakeAdapter(), ServerLimits())))
    reply = create_app(service).test_client().get("/v1/backend")
    service.close()
    _assert_is_problem(reply.status_code, reply.content_type, reply.get_json(force=True), 500, "internal-error")
    assert b"secret" not in reply.data


@pytest.fixture
def app() -> Iterator[FlaskClient]:
    limits = ServerLimits(max_shots=10_000, max_circuits=10, max_body_bytes=2**20, timeout_s=20)
    service = Service.over(InlineExecutor(Runner(FakeAdapter(), limits)), limits)
    yield create_app(service).test_client()
    service.close()


def test_in_process_and_over_http_the_answers_are_the_same(app: FlaskClient, fake_server: Server):
    request = encode(RunRequest(circuits=[fake(amount=5), "OPENQASM 3; bit[2] c; qubit q; c[0] = measure q;"], seed=7))
    inside = app.post("/v1/run", data=request, content_type="application/json").get_json()
    outside = fake_server.run(request).json
    for results in (inside["results"], outside["results"]):
        for result in results:
            for changing in ("version", "queue_s", "parse_s", "build_s", "run_s", "sample_s", "peak_memory_bytes"):
                del result["provenance"][changing]
    assert inside == outside
    assert [result["counts"] for result in inside["results"]] == [{"00000101": 1024}, {"00": 1024}]
