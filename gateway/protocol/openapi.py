"""The OpenAPI 3.1 document, generated from the messages."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec

from gateway.errors import BY_CODE
from gateway.protocol.messages import BackendInfo, Health, RunRequest, RunResponse
from gateway.protocol.problem import CONTENT_TYPE
from gateway.version import __version__

_PROBLEM_SCHEMA: dict[str, Any] = {
    "title": "Problem",
    "description": "RFC 9457 problem details; more fields depend on the code.",
    "type": "object",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "description": f"among others {', '.join(sorted(BY_CODE))}"},
        "circuit": {"type": "integer", "description": "which circuit of a list it is about"},
    },
}

_ERRORS = {
    "400": "the request or the circuit is wrong",
    "401": "the token is missing or wrong",
    "411": "no Content-Length",
    "413": "more than a limit allows",
    "415": "the body is not application/json",
    "422": "this simulator cannot do it",
    "500": "the simulator failed or crashed",
    "503": "busy, or the simulator is not installed",
    "504": "the run passed its deadline and was killed",
}


@cache
def document() -> dict[str, Any]:
    """Return the OpenAPI document of protocol version 1."""
    messages = (RunRequest, RunResponse, BackendInfo, Health)
    refs, components = msgspec.json.schema_components(messages, ref_template="#/components/schemas/{name}")
    run_request, run_response, backend_info, health = refs
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Simulator Gateway",
            "version": __version__,
            "description": "One simulator behind a port. Bit order: clbit 0 is the rightmost character.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": {
            "/v1/run": {
                "post": {
                    "operationId": "run",
                    "summary": "Run one circuit or a list",
                    "requestBody": {"required": True, "content": {"application/json": {"schema": run_request}}},
                    "responses": {**_answer("the results, in order", run_response), **_problems(*_ERRORS)},
                }
            },
            "/v1/backend": {
                "get": {
                    "operationId": "backend",
                    "summary": "Name, versions, capabilities, gates and limits",
                    "responses": {**_answer("what is served here", backend_info), **_problems("500", "503")},
                }
            },
            "/healthz": {
                "get": {
                    "operationId": "healthz",
                    "summary": "Whether the process answers",
                    "responses": _answer("it does", health),
                }
            },
            "/readyz": {
                "get": {
                    "operationId": "readyz",
                    "summary": "Whether the simulator is imported",
                    "responses": {**_answer("it is", health), **_problems("503")},
                }
            },
        },
        "components": {"schemas": {**components, "Problem": _PROBLEM_SCHEMA}},
    }


def _answer(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"200": {"description": description, "content": {"application/json": {"schema": schema}}}}


def _problems(*statuses: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {"description": _ERRORS[status], "content": {CONTENT_TYPE: {"schema": schema}}} for status in statuses
    }
