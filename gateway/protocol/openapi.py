"""Renders the OpenAPI 3.1 document from the messages and the table of endpoints."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec

from gateway.errors import BY_CODE
from gateway.protocol.encodings import Encoding
from gateway.protocol.endpoints import ALWAYS, ENDPOINTS, WITH_BODY, Endpoint, Parameter
from gateway.protocol.messages import IN_MESSAGEPACK
from gateway.protocol.problem import CONTENT_TYPE
from gateway.version import __version__

_ERRORS = {
    400: "the request or the circuit is wrong, or the server was called by a name that is not its own",
    401: "the token is missing or wrong",
    403: "a web page sent it, and is not let in",
    404: "there is no such job of this caller, or no such result",
    411: "no Content-Length",
    413: "the request exceeds a limit",
    415: "the body is not application/json",
    422: "this simulator cannot do it, or the idempotency key belongs to another request",
    500: "the simulator failed or crashed",
    503: "busy or stopping, or the simulator is not installed",
    504: "the run passed its deadline and was killed",
    507: "memory, or space for jobs, ran out",
}

_PROBLEM = {"$ref": "#/components/schemas/Problem"}
_JOB_ID = {"name": "job_id", "in": "path", "required": True, "schema": {"type": "string"}}
_POSITION = {"name": "position", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 0}}
_LOCATION = {"description": "where to ask for it", "schema": {"type": "string"}}
_BYTES = {"type": "string", "format": "binary", "description": "bin of MessagePack: the numbers, little-endian"}
_ACCEPTED = 202

_Schemas = dict[type, dict[str, Any]]


@cache
def document() -> dict[str, Any]:
    """Return the OpenAPI document of protocol version 1."""
    rows = [row for row in ENDPOINTS.values() if row.documented]
    plain = dict.fromkeys(kind for row in rows for kind in (row.request, row.answer) if kind is not None)
    messages: list[type] = [*plain, *IN_MESSAGEPACK.values()]
    references, components = msgspec.json.schema_components(messages, ref_template="#/components/schemas/{name}")
    components["Problem"]["properties"]["code"]["description"] = f"among others {', '.join(sorted(BY_CODE))}"
    components["Array"]["properties"]["data"] = _BYTES
    schemas = dict(zip(messages, references, strict=True))
    components = msgspec.json.decode(msgspec.json.encode(components))  # defaults that are tuples become lists
    paths: dict[str, Any] = {}
    for row in rows:
        paths.setdefault(row.path, {})[row.method.lower()] = _operation(row, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Simulator Gateway",
            "version": __version__,
            "description": "One simulator behind a port. Bit order: clbit 0 is the rightmost character.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{}, {"token": []}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(row: Endpoint, schemas: _Schemas) -> dict[str, Any]:
    errors = (*ALWAYS, *(WITH_BODY if row.request else ()), *row.errors)
    operation: dict[str, Any] = {
        "operationId": row.operation,
        "summary": row.summary,
        "responses": {str(row.status): _answer(row, schemas), **{str(status): _problem(status) for status in errors}},
    }
    parameters = [each for each in (_JOB_ID, _POSITION) if f"{{{each['name']}}}" in row.path]
    parameters += [_parameter(each) for each in row.parameters]
    if parameters:
        operation["parameters"] = parameters
    if row.request is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schemas[row.request]}}}
    return operation


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": parameter.place,
        "description": parameter.description,
        "schema": parameter.schema,
    }


def _answer(row: Endpoint, schemas: _Schemas) -> dict[str, Any]:
    schema = {"type": "string"} if row.answer is None else schemas[row.answer]
    content = {row.media_type: {"schema": schema}}
    if row.has_messagepack and row.answer is not None:
        packed = schemas[IN_MESSAGEPACK.get(row.answer, row.answer)]
        content[Encoding.MSGPACK.media_type] = {"schema": packed}
    answer = {"description": row.answer_means, "content": content}
    return {**answer, "headers": {"Location": _LOCATION}} if row.status == _ACCEPTED else answer


def _problem(status: int) -> dict[str, Any]:
    return {"description": _ERRORS[status], "content": {CONTENT_TYPE: {"schema": _PROBLEM}}}
