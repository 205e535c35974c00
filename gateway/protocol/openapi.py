"""Renders an OpenAPI 3.1 document from a table of endpoints and its messages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import msgspec

from gateway.errors import BY_CODE
from gateway.protocol.docstrings import described_fields, plain
from gateway.protocol.encodings import Encoding
from gateway.protocol.endpoints import ALWAYS, ENDPOINTS, WITH_BODY, Endpoint, Parameter
from gateway.protocol.messages import IN_MESSAGEPACK, Problem
from gateway.protocol.problem import CONTENT_TYPE
from gateway.version import __version__


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Api:
    """What a document is about.

    Args:
        title: its title.
        description: one or two sentences about the server.
        endpoints: its own rows: name of an operation -> row.
        relayed: the rows that it passes through to other servers.
        errors: status -> what it means, where that is something else than at a simulator.
        client: a program with this package's client, for a ``{circuit}`` and the ``{simulator}`` at a ``{url}``.
    """

    title: str
    description: str
    endpoints: Mapping[str, Endpoint]
    relayed: Mapping[str, Endpoint] = field(default_factory=dict)
    errors: Mapping[int, str] = field(default_factory=dict)
    client: str

    @property
    def documented(self) -> list[Endpoint]:
        """The rows that the document has."""
        return [row for row in (*self.endpoints.values(), *self.relayed.values()) if row.documented]


SIMULATOR = Api(
    title="Simulator Gateway",
    description="One simulator behind a port. Bit order: clbit 0 is the rightmost character.",
    endpoints=ENDPOINTS,
    client="""\
from gateway import BackendClient

with BackendClient("{url}") as simulator:
    print(simulator.run({circuit}, shots=1000))""",
)
"""A simulator's own server."""

PATH_PARAMETERS: dict[str, dict[str, Any]] = {
    "job_id": {"description": "the id of a job", "schema": {"type": "string"}},
    "position": {
        "description": "the number of a circuit, counted from 0",
        "schema": {"type": "integer", "minimum": 0},
    },
    "name": {"description": "the name of a simulator, as in the list of simulators", "schema": {"type": "string"}},
    "comparison_id": {"description": "the id of a comparison", "schema": {"type": "string"}},
    "format": {"description": "the format of the picture", "schema": {"enum": ["svg", "png"]}},
}
"""Name in a path -> what stands for it."""

_ERRORS = {
    400: "the request or the circuit is wrong, or the server was called by a name that is not its own",
    401: "the token is missing or wrong",
    403: "the token lacks a right, or a web page sent it that is not let in",
    404: "there is no such job of this caller, or no such result",
    409: "another request has made this one pointless",
    411: "no Content-Length",
    413: "the request exceeds a limit",
    415: "the body is not application/json",
    422: "this simulator cannot do it, or the idempotency key belongs to another request",
    500: "the simulator failed or crashed",
    502: "what answers there is no simulator",
    503: "busy or stopping, or the simulator is not installed",
    504: "the run passed its deadline and was killed",
    507: "memory, or space for jobs, ran out",
}

_REFERENCE = "#/components/schemas/{name}"
_PROBLEM = {"$ref": _REFERENCE.format(name="Problem")}
_LOCATION = {"description": "where to ask for it", "schema": {"type": "string"}}
_BYTES = {"type": "string", "format": "binary", "description": "bin of MessagePack: the numbers, little-endian"}
_ACCEPTED = 202
_JSON = Encoding.JSON.media_type

_Schemas = dict[type, dict[str, Any]]


@cache
def document(api: Api = SIMULATOR) -> dict[str, Any]:
    """Return the OpenAPI document of a server of protocol version 1."""
    schemas, components = _components(api)
    paths: dict[str, Any] = {}
    for row in api.documented:
        paths.setdefault(row.path, {})[row.method.lower()] = _operation(row, schemas, {**_ERRORS, **api.errors})
    return {
        "openapi": "3.1.0",
        "info": {
            "title": api.title,
            "version": __version__,
            "description": api.description,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{}, {"token": []}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _components(api: Api) -> tuple[_Schemas, dict[str, Any]]:
    """Return a reference to the schema of each message, and all schemas by name."""
    rows = api.documented
    answers = dict.fromkeys(kind for row in rows for kind in (row.request, row.answer) if kind is not None)
    packed = [IN_MESSAGEPACK[kind] for kind in answers if kind in IN_MESSAGEPACK]
    messages: list[type] = [*answers, *packed, *([] if Problem in answers else [Problem])]
    references, components = msgspec.json.schema_components(messages, ref_template=_REFERENCE)
    components = msgspec.json.decode(msgspec.json.encode(components))  # defaults that are tuples become lists
    kinds = {kind.__name__: kind for kind in messages}
    for name, schema in components.items():
        _explain(schema, kinds.get(name))
    components["Problem"]["properties"]["code"]["description"] = f"among others {', '.join(sorted(BY_CODE))}"
    if "Array" in components:
        components["Array"]["properties"]["data"] = _BYTES
    return dict(zip(messages, references, strict=True)), components


def _explain(schema: dict[str, Any], kind: type | None) -> None:
    """Move what a docstring says about the fields of a message to these fields."""
    docstring = schema.get("description", "")
    parents = [parent.__doc__ or "" for parent in kind.__mro__[1:-1]] if kind else []
    fields = {name: text for each in (*reversed(parents), docstring) for name, text in described_fields(each).items()}
    if docstring:
        schema["description"] = plain(docstring)
    for name, field_schema in schema.get("properties", {}).items():
        told = [each["description"] for each in field_schema.get("anyOf", ()) if "description" in each]
        if name in fields or told:
            field_schema["description"] = fields.get(name) or told[0]
    items = schema.get("prefixItems", ())
    for name, item in zip(fields, items, strict=False) if len(fields) == len(items) else ():
        item.update(title=name, description=fields[name])


def _operation(row: Endpoint, schemas: _Schemas, meanings: Mapping[int, str]) -> dict[str, Any]:
    errors = (*ALWAYS, *(WITH_BODY if row.request else ()), *row.errors)
    problems = {str(status): _problem(meanings[status]) for status in sorted(set(errors))}
    operation: dict[str, Any] = {
        "operationId": row.operation,
        "summary": row.summary,
        "responses": {str(row.status): _answer(row, schemas), **problems},
    }
    names = re.findall(r"{(\w+)}", row.path)
    parameters = [{"name": name, "in": "path", "required": True, **PATH_PARAMETERS[name]} for name in names]
    parameters += [_parameter(each) for each in row.parameters]
    if parameters:
        operation["parameters"] = parameters
    if row.request is not None:
        content: dict[str, Any] = {"schema": schemas[row.request]}
        if row.example is not None:
            content["example"] = row.example
        operation["requestBody"] = {"required": True, "content": {_JSON: content}}
    return operation


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": parameter.place,
        "description": parameter.description,
        "schema": parameter.schema,
    }


def _answer(row: Endpoint, schemas: _Schemas) -> dict[str, Any]:
    content = {kind: {"schema": _body(kind, row, schemas)} for kind in (row.media_type, *row.other_media_types)}
    if row.has_messagepack and row.answer is not None:
        packed = schemas[IN_MESSAGEPACK.get(row.answer, row.answer)]
        content[Encoding.MSGPACK.media_type] = {"schema": packed}
    answer = {"description": row.answer_means, "content": content}
    return {**answer, "headers": {"Location": _LOCATION}} if row.status == _ACCEPTED else answer


def _body(media_type: str, row: Endpoint, schemas: _Schemas) -> dict[str, Any]:
    if row.answer is not None and media_type == _JSON:
        return schemas[row.answer]
    if media_type == _JSON:
        return {"type": "object"}
    is_text = media_type.startswith("text/")
    return {"type": "string"} if is_text else {"type": "string", "contentMediaType": media_type}


def _problem(meaning: str) -> dict[str, Any]:
    return {"description": meaning, "content": {CONTENT_TYPE: {"schema": _PROBLEM}}}
