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
from gateway.protocol import door
from gateway.protocol.endpoints import ALWAYS, ENDPOINTS
from gateway.protocol.messages import RunRequest, ServerLimits, decode, encode
from gateway.protocol.openapi import SIMULATOR, Api, document
from gateway.server.http.app import create_app
from gateway.server.service import Service
from gateway.version import __version__

PACKED = ("response", "backend", "jobs", "job-queued", "job-failed", "job-without-results")
GOLDEN = Path(__file__).parents[2] / "golden"
UNDOCUMENTED = {row.path for row in ENDPOINTS.values() if not row.documented}
BOTH = pytest.mark.parametrize("api", [SIMULATOR, door.API], ids=["simulator", "door"])


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


@BOTH
def test_the_document_is_valid_openapi(api: Api):
    OpenAPIV31SpecValidator(document(api)).validate()
    assert document(api)["info"]["version"] == __version__


@BOTH
def test_answers_that_are_had_in_messagepack_are_documented_in_both_encodings(api: Api):
    for row in api.documented:
        answer = document(api)["paths"][row.path][row.method.lower()]["responses"][str(row.status)]
        packed = {"application/msgpack"} if row.has_messagepack else set()
        assert set(answer["content"]) == {row.media_type, *row.other_media_types, *packed}, row.operation


@BOTH
def test_every_row_is_in_the_document_with_its_parameters_and_errors(api: Api):
    paths = document(api)["paths"]
    assert sum(len(methods) for methods in paths.values()) == len(api.documented)
    for row in api.documented:
        operation = paths[row.path][row.method.lower()]
        assert operation["operationId"] == row.operation
        assert ("requestBody" in operation) == (row.request is not None)
        assert {str(row.status), *map(str, (*ALWAYS, *row.errors))} <= set(operation["responses"])
        named = {each["name"] for each in operation.get("parameters", ()) if each["in"] == "path"}
        assert named == set(re.findall(r"{(\w+)}", row.path))


def test_what_is_passed_through_is_in_the_document_of_the_door_as_a_simulator_has_it():
    whole, passed = document(door.API)["paths"], document()["paths"]
    for path, methods in passed.items():
        for method, operation in methods.items():
            relayed = whole[f"/v1/simulators/{{name}}{path}"][method]
            assert relayed["operationId"] == f"simulator-{operation['operationId']}"
            assert relayed.get("requestBody") == operation.get("requestBody")
            added = {"404", "502", "503", *(["411"] if method == "post" else [])}
            assert set(operation["responses"]) | added == set(relayed["responses"])
            assert relayed["parameters"][0]["name"] == "name"


def test_the_document_of_the_door_has_answers_that_are_no_messages():
    paths = document(door.API)["paths"]
    comparison = "/v1/comparisons/{comparison_id}"
    kinds = {
        path.removeprefix(comparison): set(methods["get"]["responses"]["200"]["content"])
        for path, methods in paths.items()
        if path.startswith(f"{comparison}/")
    }
    assert kinds["/result"] == kinds["/report.html"] == {"text/html"}
    assert kinds["/picture.{format}"] == {"image/svg+xml", "image/png"}
    assert kinds["/outcomes.csv"] == {"text/csv"}
    assert kinds["/events"] == {"text/event-stream"}


@BOTH
def test_every_field_and_every_item_is_explained(api: Api):
    alike = {"done", "total", "results", "jobs", "next", "simulators", "status"}  # said by their message
    for name, schema in document(api)["components"]["schemas"].items():
        assert schema.get("description"), name
        for field, described in schema.get("properties", {}).items():
            assert field in alike or described.get("description"), (name, field)
        for place, item in enumerate(schema.get("prefixItems", ())):
            assert item.get("title"), (name, place)
            assert item.get("description"), (name, place)


@BOTH
def test_descriptions_have_no_markup_of_docstrings(api: Api):
    text = json.dumps(document(api))
    for markup in ("``", ":class:", ":func:", "Args:", "Raises:", "::\\n"):
        assert markup not in text


@BOTH
def test_an_example_of_a_body_is_as_documented(api: Api):
    for row in api.documented:
        if row.request is not None:
            assert row.example is not None, row.operation
            decode(row.request, encode(row.example))
            jsonschema.Draft202012Validator(
                {**document(api), "$ref": f"#/components/schemas/{row.request.__name__}"}
            ).validate(row.example)


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
