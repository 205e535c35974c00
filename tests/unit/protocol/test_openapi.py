from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import msgspec
import pytest
from flask.testing import FlaskClient
from openapi_spec_validator import OpenAPIV31SpecValidator
from support.fake import Does, FakeAdapter, fake
from support.fakes import NumpyAdapter
from support.raw import run_body

from gateway.execution.pool import InlineExecutor
from gateway.execution.runner import Runner
from gateway.protocol.messages import RunRequest, ServerLimits, encode
from gateway.protocol.openapi import document
from gateway.server.http.app import create_app
from gateway.server.service import Service
from gateway.version import __version__

PACKED = ("response", "backend", "jobs", "job-queued", "job-failed", "job-without-results")
GOLDEN = Path(__file__).parents[2] / "golden"
UNDOCUMENTED = {"/openapi.json"}
"""The document does not describe itself."""


@pytest.fixture(scope="module", params=[FakeAdapter, NumpyAdapter], ids=lambda adapter: adapter.name)
def client(request: pytest.FixtureRequest) -> Iterator[FlaskClient]:
    service = Service.over(InlineExecutor(Runner(request.param(), ServerLimits())))
    yield create_app(service).test_client()
    service.close()


def assert_valid(value: object, pointer: str) -> None:
    schema = {**document(), "$ref": f"#{pointer}"}
    jsonschema.Draft202012Validator(schema).validate(value)


def schema_of(path: str, method: str, status: int) -> str:
    escaped = path.replace("/", "~1")
    content = document()["paths"][path][method]["responses"][str(status)]["content"]
    content_type = next(iter(content))
    return f"/paths/{escaped}/{method}/responses/{status}/content/{content_type.replace('/', '~1')}/schema"


def test_the_document_is_valid_openapi():
    OpenAPIV31SpecValidator(document()).validate()
    assert document()["info"]["version"] == __version__


def test_answers_that_are_had_in_messagepack_are_documented_in_both_encodings():
    for methods in document()["paths"].values():
        for operation in methods.values():
            for status, response in operation["responses"].items():
                kinds = set(response["content"])
                if "application/json" in kinds and operation["operationId"] not in {"healthz", "readyz"}:
                    assert kinds == {"application/json", "application/msgpack"}, (operation["operationId"], status)
                else:
                    assert len(kinds) == 1


@pytest.mark.parametrize("name", PACKED)
def test_golden_files_in_messagepack_are_as_documented(name: str):
    value = msgspec.msgpack.decode((GOLDEN / f"{name}.msgpack").read_bytes())
    schema = {"response": "PackedResponse", "backend": "BackendInfo", "jobs": "JobList"}.get(name, "PackedJobInfo")
    text = json.loads(msgspec.json.encode(value))  # bytes become text, as in the schema, and times too
    assert_valid(text, f"/components/schemas/{schema}")


def test_every_route_is_in_the_document_and_vice_versa(client: FlaskClient):
    served = {
        (re.sub(r"<(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in client.application.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if rule.rule not in UNDOCUMENTED
    }
    documented = {(path, method) for path, methods in document()["paths"].items() for method in methods}
    assert served == documented


def test_the_server_hands_out_the_document(client: FlaskClient):
    assert client.get("/openapi.json").get_json() == json.loads(json.dumps(document()))


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/v1/backend"])
def test_answers_to_questions_are_as_documented(client: FlaskClient, path):
    reply = client.get(path)
    assert reply.status_code == 200
    assert_valid(reply.get_json(), schema_of(path, "get", 200))


def test_answers_to_runs_are_as_documented(client: FlaskClient):
    request = run_body([fake(), "OPENQASM 3.0; qubit q; bit c; c = measure q;"], shots=[3, 4], seed=1)
    assert_valid(json.loads(request), "/components/schemas/RunRequest")
    reply = client.post("/v1/run", data=request, content_type="application/json")
    assert reply.status_code == 200
    assert_valid(reply.get_json(), schema_of("/v1/run", "post", 200))


@pytest.mark.parametrize("result", ["probabilities", "statevector"])
def test_exact_answers_are_as_documented(client: FlaskClient, result):
    text = "OPENQASM 3.0; qubit q; bit c; h q;" + ("c = measure q;" if result == "probabilities" else "")
    request = encode(RunRequest(circuits=text, shots=None, result=result))
    reply = client.post("/v1/run", data=request, content_type="application/json")
    assert_valid(reply.get_json(force=True), schema_of("/v1/run", "post", reply.status_code))


@pytest.mark.parametrize(
    ("sent", "content_type", "status"),
    [
        (b"{}", "application/json", 400),
        (run_body("hello"), "application/json", 400),
        (run_body(shots=10**9), "application/json", 413),
        (b"{}", "text/plain", 415),
        (run_body(shots=None, result="statevector"), "application/json", 422),
    ],
)
def test_problems_are_as_documented(client: FlaskClient, sent, content_type, status):
    reply = client.post("/v1/run", data=sent, content_type=content_type)
    assert reply.status_code == status
    assert_valid(reply.get_json(force=True), schema_of("/v1/run", "post", status))


def test_failures_of_the_simulator_are_as_documented():
    service = Service.over(InlineExecutor(Runner(FakeAdapter(), ServerLimits())))
    client = create_app(service).test_client()
    reply = client.post("/v1/run", data=run_body(fake(Does.RAISE)), content_type="application/json")
    service.close()
    assert_valid(reply.get_json(force=True), schema_of("/v1/run", "post", 500))


def test_what_the_schema_of_a_request_excludes_the_server_refuses_too(client: FlaskClient):
    for fields in ({"shots": 0}, {"seed": -1}, {"seed": 2**32}, {"timeout_s": 0}, {"result": "x"}, {"more": 1}):
        sent = {"circuits": "OPENQASM 2.0;", **fields}
        with pytest.raises(jsonschema.ValidationError, match=re.escape(str(next(iter(fields.values()))))):
            assert_valid(sent, "/components/schemas/RunRequest")
        assert client.post("/v1/run", json=sent).status_code == 400
