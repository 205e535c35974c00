"""The older REST form of Qrisp's interface: ``POST /run`` and ``GET /ping``, over a real server and in process."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from flask.testing import FlaskClient
from legacy.qrisp.messages import bell, circuit, definition, op, x_on_the_first_of_two
from support.fake import FakeAdapter
from support.raw import Server

from gateway.execution.function import Function
from gateway.execution.pool import InlineExecutor
from gateway.execution.runner import Runner
from gateway.legacy.qrisp import whole_answers
from gateway.legacy.qrisp.room import QrispInterface
from gateway.protocol.messages import ServerLimits
from gateway.server.access.authentication import Authentication
from gateway.server.access.tokens import TokenDigest, Tokens
from gateway.server.http.app import create_app
from gateway.server.service import Service

TOKEN = "lorem ipsum"  # noqa: S105 - a test's
LIMITS = ServerLimits(max_shots=10_000, max_body_bytes=2**20, max_operations=1000)


def body(qc: Any = None, shots: Any = 100, **more: Any) -> bytes:
    return json.dumps({"qc": msgspec.to_builtins(bell() if qc is None else qc), "shots": shots, **more}).encode()


@contextlib.contextmanager
def serving(runnable: Any, tokens: Tokens | None = None) -> Iterator[FlaskClient]:
    """Serve from this process."""
    executor = InlineExecutor(Runner(runnable, LIMITS))
    service = Service.over(
        executor, LIMITS, authentication=Authentication(tokens or Tokens()), interfaces=(QrispInterface(),)
    )
    yield create_app(service).test_client()
    service.close()


def test_a_run_answers_200_and_a_mapping_of_bitstrings_without_spaces(qulacs_server: Server):
    reply = qulacs_server.request("POST", "/run", body(shots=1000, token=""))
    assert (reply.status, reply.headers["Content-Type"]) == (200, "application/json")
    assert set(reply.json) == {"01", "10"}
    assert sum(reply.json.values()) == 1000


def test_the_first_clbit_is_the_rightmost_character(qulacs_server: Server):
    assert qulacs_server.request("POST", "/run", body(x_on_the_first_of_two())).json == {"01": 100}


def test_definitions_and_conditions_run(qulacs_server: Server):
    flip = definition("u v", op("cx", "u v"))
    sent = circuit(
        "a b c", "x y z",
        op("x", "a"), op("mine", "a b", definition=flip), op("measure", "b", "y"),
        op("c_if_x", "c", "y"), op("measure", "c", "z"),
    )  # fmt: skip
    assert qulacs_server.request("POST", "/run", body(sent)).json == {"110": 100}


def test_a_ping_says_who_is_there(qulacs_server: Server):
    reply = qulacs_server.request("GET", "/ping", headers={})
    assert (reply.status, reply.json) == (200, {"name": "qulacs", "online": True})


REFUSED = {
    "no JSON": (b"hello", 400, "request-invalid"),
    "a list": (b"[]", 400, "request-invalid"),
    "no circuit": (b'{"shots": 1}', 400, "request-invalid"),
    "an unknown field": (body(shotz=1), 400, "request-invalid"),
    "a token that is a number": (body(token=7), 400, "request-invalid"),
    "shots 0": (body(shots=0), 400, "request-invalid"),
    "shots -1": (body(shots=-1), 400, "request-invalid"),
    "shots null": (body(shots=None), 400, "request-invalid"),
    "shots 1.5": (body(shots=1.5), 400, "request-invalid"),
    "shots true": (body(shots=True), 400, "request-invalid"),
    "too many shots": (body(shots=10**9), 413, "limit-exceeded"),
    "shots beyond 64 bits": (body(shots=10**30), 413, "limit-exceeded"),
    "a bit without identifier": (body({"qubits": [{}]}), 400, "request-invalid"),
    "a bit that is a text": (body({"qubits": ["a"]}), 400, "request-invalid"),
    "a parameter that is null": (
        body({"data": [{"op": {"name": "rx", "num_qubits": 1, "num_clbits": 0, "params": [None]}}]}),
        400,
        "request-invalid",
    ),
    "a name that is a number": (
        body({"data": [{"op": {"name": 1, "num_qubits": 0, "num_clbits": 0}}]}),
        400,
        "request-invalid",
    ),
    "an unknown operation": (body(circuit("a", "", op("foo", "a"))), 422, "unsupported"),
    "a qubit nobody declared": (body(circuit("a", "", op("x", "b"))), 400, "circuit-invalid"),
    "nothing measured": (body(circuit("a", "x", op("x", "a"))), 400, "circuit-invalid"),
    "too many operations": (body(circuit("a", "x", *[op("x", "a")] * 1001)), 413, "limit-exceeded"),
    "too many qubits": (body(circuit(" ".join(map(str, range(5000))), "")), 413, "limit-exceeded"),
    "JSON 100,000 objects deep": (b'{"qc":' * 100_000, 400, "request-invalid"),
    "a body over the limit": (b" " * (2**20 + 1), 413, "limit-exceeded"),
}


@pytest.fixture(scope="module")
def app() -> Iterator[FlaskClient]:
    with serving(FakeAdapter()) as client:
        yield client


@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_says_why_in_the_fields_that_these_clients_read(app: FlaskClient, name: str):
    sent, status, code = REFUSED[name]
    reply = app.post("/run", data=sent, content_type="application/json")
    found = reply.get_json(force=True)
    assert (reply.status_code, found["code"], found["error_code"]) == (status, code, code), found
    assert found["error_message"] == found["message"] == found["detail"] != ""
    assert found["status"] == status


@pytest.mark.parametrize(
    ("method", "path", "content_type", "status"),
    [
        ("GET", "/run", None, 405),
        ("POST", "/ping", "application/json", 405),
        ("POST", "/run", "text/plain", 415),
        ("POST", "/run/", "application/json", 404),
    ],
)
def test_wrong_methods_and_types_are_told_likewise(app: FlaskClient, method, path, content_type, status):
    reply = app.open(path, method=method, data=b"{}", content_type=content_type)
    assert reply.status_code == status
    assert reply.get_json(force=True)["error_message"]


def test_counts_too_large_for_these_clients_are_refused_with_the_reason(app: FlaskClient, monkeypatch):
    monkeypatch.setattr(whole_answers, "MOST_BYTES", 100)
    answer = app.post(
        "/run", data=body(circuit("a", "x", op("x", "a"), op("measure", "a", "x"))), content_type="application/json"
    )
    assert (answer.status_code, answer.get_json()["code"]) == (413, "limit-exceeded")
    assert "clients of this interface are given 100 at most" in answer.get_json()["message"]


def test_an_infinite_angle_is_refused(app: FlaskClient):
    sent = body(circuit("a", "x", op("rx", "a", params=[float("inf")])))
    assert app.post("/run", data=sent, content_type="application/json").status_code == 400


@pytest.mark.parametrize(
    ("qc", "status", "code"),
    [
        (circuit("a", "x", op("u3", "a", params=[3, 0, 0]), op("measure", "a", "x")), 500, "simulator-error"),
        (circuit("a", "x", op("u3", "a", params=[6, 0, 0]), op("measure", "a", "x")), 500, "simulator-crashed"),
    ],
)
def test_what_the_simulator_does_wrong_is_told_too(fake_server: Server, qc, status, code):
    reply = fake_server.request("POST", "/run", body(qc))
    assert (reply.status, reply.json["error_code"]) == (status, code)
    assert reply.json["error_message"]


# ---------------------------------------------------------------------------- tokens and ping_func


@pytest.fixture
def seen() -> list[Any]:
    return []


@pytest.fixture
def guarded(seen: list[Any]) -> Iterator[FlaskClient]:
    """A function behind a token; it notes the tokens and the pings it gets."""

    def run_func(circuit, shots, token):
        seen.append(token)
        return {"0" * circuit.num_clbits: shots}

    function = Function(run_func, lambda: seen.append("ping"))
    tokens = Tokens([TokenDigest("me", hashlib.sha256(TOKEN.encode()).hexdigest())])
    with serving(function, tokens) as client:
        yield client


def test_a_token_is_taken_from_the_body(guarded: FlaskClient, seen):
    assert guarded.post("/run", data=body(token=TOKEN), content_type="application/json").status_code == 200
    assert seen == [TOKEN]


def test_a_token_is_taken_from_the_header_first(guarded: FlaskClient, seen):
    headers = {"Authorization": f"Bearer {TOKEN}"}
    reply = guarded.post("/run", data=body(token="other"), content_type="application/json", headers=headers)  # noqa: S106
    assert reply.status_code == 200
    assert seen == [TOKEN]


@pytest.mark.parametrize("sent", [body(), body(token=""), body(token="no"), b'{"token": "no", "qc": 7}'])  # noqa: S106
def test_without_the_token_nothing_is_run_or_read(guarded: FlaskClient, seen, sent):
    reply = guarded.post("/run", data=sent, content_type="application/json")
    assert (reply.status_code, reply.get_json(force=True)["error_code"]) == (401, "unauthenticated")
    assert reply.headers["WWW-Authenticate"] == "Bearer"
    assert seen == []


def test_a_ping_without_the_token_tells_readiness_and_asks_nobody(guarded: FlaskClient, seen):
    assert guarded.get("/ping").get_json() == {"name": "gateway", "online": True}
    assert seen == []


def test_a_ping_with_the_token_asks_the_ping_func(guarded: FlaskClient, seen):
    reply = guarded.get("/ping", headers={"Authorization": f"Bearer {TOKEN}"})
    assert reply.get_json() == {"name": "function", "online": True}
    assert seen == ["ping"]


def test_a_ping_with_a_wrong_token_is_refused(guarded: FlaskClient):
    assert guarded.get("/ping", headers={"Authorization": "Bearer wrong"}).status_code == 401


@pytest.mark.parametrize(("said", "online"), [(True, True), (None, True), ("calibrating", True), (False, False)])
def test_a_ping_says_what_the_ping_func_says(said, online):
    function = Function(lambda circuit, shots: {}, lambda: said, name="mine")
    with serving(function) as client:
        assert client.get("/ping").get_json() == {"name": "mine", "online": online}


def test_a_ping_func_that_raises_means_offline():
    function = Function(lambda circuit, shots: {}, lambda: 1 / 0, name="mine")
    with serving(function) as client:
        assert client.get("/ping").get_json() == {"name": "mine", "online": False}


def test_a_function_without_a_token_gets_none_for_an_empty_one(seen):
    function = Function(lambda circuit, shots, token: seen.append(token) or {"00": shots})
    with serving(function) as client:
        assert client.post("/run", data=body(token=""), content_type="application/json").status_code == 200
    assert seen == [None]
