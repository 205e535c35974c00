"""The OpenAPI 3.1 document, generated from the messages."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec

from gateway.errors import BY_CODE
from gateway.protocol.messages import BackendInfo, Health, JobInfo, JobList, RunRequest, RunResponse
from gateway.protocol.problem import CONTENT_TYPE
from gateway.results import JobState
from gateway.version import __version__

_ERRORS = {
    "400": "the request or the circuit is wrong, or the server was called by a name that is not its own",
    "401": "the token is missing or wrong",
    "403": "a web page sent it, and is not let in",
    "404": "there is no such job of this caller",
    "411": "no Content-Length",
    "413": "more than a limit allows",
    "415": "the body is not application/json",
    "422": "this simulator cannot do it, or the idempotency key belongs to another request",
    "500": "the simulator failed or crashed",
    "503": "busy or stopping, or the simulator is not installed",
    "504": "the run passed its deadline and was killed",
    "507": "memory, or space for jobs, ran out",
}

_ALWAYS = ("400", "401", "403")
_BODY = ("411", "413", "415")

_JOB_ID = {"name": "job_id", "in": "path", "required": True, "schema": {"type": "string"}}


@cache
def document() -> dict[str, Any]:
    """Return the OpenAPI document of protocol version 1."""
    messages = (RunRequest, RunResponse, BackendInfo, Health, JobInfo, JobList)
    refs, components = msgspec.json.schema_components(messages, ref_template="#/components/schemas/{name}")
    components["Problem"]["properties"]["code"]["description"] = f"among others {', '.join(sorted(BY_CODE))}"
    run_request, run_response, backend_info, health, job_info, job_list = refs
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Simulator Gateway",
            "version": __version__,
            "description": "One simulator behind a port. Bit order: clbit 0 is the rightmost character.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{}, {"token": []}],
        "paths": {
            "/v1/run": {"post": _run(run_request, run_response)},
            "/v1/jobs": {"post": _submit(run_request, job_info), "get": _list_jobs(job_list)},
            "/v1/jobs/{job_id}": {"get": _job(job_info), "delete": _cancel(job_info)},
            "/v1/jobs/{job_id}/rerun": {"post": _rerun(job_info)},
            "/v1/backend": {
                "get": _operation(
                    "backend",
                    "Name, versions, capabilities, gates and limits",
                    _answer("what is served here", backend_info),
                    ("500", "503", "504"),
                )
            },
            **_seen_from_outside(health),
        },
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _run(request: dict[str, Any], response: dict[str, Any]) -> dict[str, Any]:
    errors = (*_BODY, "422", "500", "503", "504", "507")
    return _operation("run", "Run one circuit or a list", _answer("the results, in order", response), errors, request)


def _submit(request: dict[str, Any], job: dict[str, Any]) -> dict[str, Any]:
    key = {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "the same key and body give the same job again",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
    }
    errors = (*_BODY, "422", "503", "507")
    submit = _operation("submit", "Accept a job, which the server keeps", _accepted(job), errors, request)
    return {**submit, "parameters": [key]}


def _list_jobs(jobs: dict[str, Any]) -> dict[str, Any]:
    parameters = [
        _query("state", {"enum": [str(state) for state in JobState]}, "only jobs in this state"),
        _query("before", {"type": "string"}, "the id where the page before ended"),
        _query("limit", {"type": "integer", "minimum": 1, "default": 50}, "at most so many; never more than 1000"),
    ]
    listing = _operation("jobs", "Jobs of this caller, the newest first", _answer("a page", jobs), ("404", "503"))
    return {**listing, "parameters": parameters}


def _job(job: dict[str, Any]) -> dict[str, Any]:
    wait = _query("wait_s", {"type": "number", "minimum": 0}, "wait so long for its end; never more than max_poll_s")
    asking = _operation(
        "job", "Where a job stands; its results once it has ended", _answer("the job", job), ("404", "503")
    )
    return {**asking, "parameters": [_JOB_ID, wait]}


def _cancel(job: dict[str, Any]) -> dict[str, Any]:
    summary = "Cancel a job unless it has ended; what runs of it is killed"
    return {**_operation("cancel", summary, _answer("the job", job), ("404", "503")), "parameters": [_JOB_ID]}


def _rerun(job: dict[str, Any]) -> dict[str, Any]:
    operation = _operation(
        "rerun", "Accept the same request again, as a new job", _accepted(job), ("404", "503", "507")
    )
    return {**operation, "parameters": [_JOB_ID]}


def _seen_from_outside(health: dict[str, Any]) -> dict[str, Any]:
    metrics = {
        "200": {"description": "in Prometheus' format", "content": {"text/plain": {"schema": {"type": "string"}}}}
    }
    return {
        "/healthz": {"get": _operation("healthz", "Whether the process answers", _answer("it does", health), ())},
        "/readyz": {
            "get": _operation("readyz", "Whether the simulator is imported", _answer("it is", health), ("503",))
        },
        "/metrics": {"get": _operation("metrics", "Requests, runs, workers, memory and jobs", metrics, ())},
    }


def _query(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": description, "schema": schema}


def _operation(
    name: str,
    summary: str,
    answers: dict[str, Any],
    errors: tuple[str, ...],
    body: dict[str, Any] | None = None,
) -> dict[str, Any]:
    operation = {"operationId": name, "summary": summary, "responses": {**answers, **_problems(*_ALWAYS, *errors)}}
    if body is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return operation


def _answer(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"200": {"description": description, "content": {"application/json": {"schema": schema}}}}


def _accepted(schema: dict[str, Any]) -> dict[str, Any]:
    location = {"description": "where to ask for it", "schema": {"type": "string"}}
    answer = {"description": "it was accepted", "headers": {"Location": location}}
    return {"202": {**answer, "content": {"application/json": {"schema": schema}}}}


def _problems(*statuses: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {"description": _ERRORS[status], "content": {CONTENT_TYPE: {"schema": schema}}} for status in statuses
    }
