"""THE table of endpoints: one row for each request that a server of protocol version 1 answers.

The routes of the server, the requests of the client, the OpenAPI document and the table in PROTOCOL.md follow from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from gateway.protocol.messages import BackendInfo, Health, JobInfo, JobList, RunRequest, RunResponse
from gateway.results import JobState
from gateway.rights import Right

MAX_PAGE = 1000
"""The largest number of jobs on a page."""

ALWAYS = (400, 401, 403)
"""Statuses of the errors that any request may have."""

WITH_BODY = (411, 413, 415)
"""Statuses of the errors that a request with a body may have as well."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A part of a request beside its body.

    Args:
        name: the name of the parameter.
        description: what it does.
        schema: the JSON Schema of its value, which the server enforces.
        place: where a request has it: ``query`` or ``header``.
    """

    name: str
    description: str
    schema: Mapping[str, Any]
    place: str = "query"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A kind of request that a server answers.

    Args:
        operation: the name of the row, and the ``operationId`` in OpenAPI.
        method: the method of HTTP.
        path: the path, with ``{job_id}`` where the id of a job stands, and ``{position}`` for the number of a circuit.
        summary: what the request does, in one line.
        request: the message in the body, ``None`` if there is no body.
        example: a body that is answered as it stands.
        status: the status of an answer that is no error.
        answer: the message in that answer, ``None`` for another document of the ``media_type``.
        answer_means: what that answer is, in a few words.
        errors: statuses of errors beside :data:`ALWAYS` and, with a body, :data:`WITH_BODY`.
        parameters: the parameters in query and header.
        needs_token: whether a server that demands tokens demands one here.
        right: the right that a server which demands tokens demands as well.
        media_type: the type of the answer's body.
        other_media_types: further types that it may have, where the path or the query chooses one.
        documented: whether the OpenAPI document has it; it does not describe itself, nor the pages for people.
    """

    operation: str
    method: str
    path: str
    summary: str
    request: type[msgspec.Struct] | None = None
    example: Mapping[str, Any] | None = None
    status: int = 200
    answer: type[msgspec.Struct] | None = None
    answer_means: str = ""
    errors: tuple[int, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    needs_token: bool = True
    right: Right | None = None
    media_type: str = "application/json"
    other_media_types: tuple[str, ...] = ()
    documented: bool = True

    @property
    def is_page(self) -> bool:
        """Whether it is a page for people, to which links lead."""
        return self.media_type == "text/html" and not self.documented

    @property
    def is_probe(self) -> bool:
        """Whether an orchestrator asks it how the server is, without a token."""
        return self.answer is Health

    @property
    def has_messagepack(self) -> bool:
        """Whether its answer is in MessagePack for those who accept that."""
        return self.answer is not None and not self.is_probe

    def url(
        self, job_id: str = "", query: Mapping[str, object] = MappingProxyType({}), **parts: str | int | None
    ) -> str:
        """Return the path and the query of a request.

        Args:
            job_id: what stands for ``{job_id}`` in the path.
            query: the parameters of the query.
            parts: what stands for the other names in the path, such as ``position``.
        """
        path = self.path.replace("{job_id}", quote(job_id, safe=""))
        for name, value in parts.items():
            path = path.replace(f"{{{name}}}", quote(str(value), safe=""))
        return f"{path}?{urlencode(query)}" if query else path


WAIT_S = Parameter(
    "wait_s",
    "seconds to wait for the end of the job, or for the result; more than max_poll_s count as max_poll_s",
    {"type": "number", "minimum": 0},
)
COUNT = Parameter(
    "count",
    "up to so many results, of this circuit and those after it; the server sends fewer where they are large, not there "
    "yet, or none",
    {"type": "integer", "minimum": 1, "default": 1},
)
RESULTS = Parameter(
    "results",
    "false leaves the results out, and says how large they are",
    {"enum": ["true", "false"], "default": "true"},
)
FORGET = Parameter(
    "forget",
    "true removes the job with its results once it has ended or, while others read it, within a minute after that",
    {"enum": ["true", "false"], "default": "false"},
)
STATE = Parameter("state", "only jobs in this state", {"enum": [str(state) for state in JobState]})
BEFORE = Parameter("before", "the field next of the previous page", {"type": "string"})
LIMIT = Parameter(
    "limit",
    f"the largest number of jobs on the page; more than {MAX_PAGE} count as {MAX_PAGE}",
    {"type": "integer", "minimum": 1, "default": 50},
)
IDEMPOTENCY_KEY = Parameter(
    "Idempotency-Key",
    "the same key with the same body gives the same job again",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
    place="header",
)

EXAMPLE = 'OPENQASM 3.0; include "stdgates.inc"; qubit[2] q; bit[2] c; h q[0]; cx q[0], q[1]; c = measure q;'
"""A circuit for examples."""

_RUN_EXAMPLE = {"circuits": EXAMPLE, "shots": 1000, "seed": 7}

RUN = Endpoint(
    operation="run",
    method="POST",
    path="/v1/run",
    summary="Run one circuit or a list",
    request=RunRequest,
    example=_RUN_EXAMPLE,
    answer=RunResponse,
    answer_means="the results, in order",
    errors=(422, 500, 503, 504, 507),
    right=Right.RUN,
)
SUBMIT = Endpoint(
    operation="submit",
    method="POST",
    path="/v1/jobs",
    summary="Accept a job, which the server keeps",
    request=RunRequest,
    example=_RUN_EXAMPLE,
    status=202,
    answer=JobInfo,
    answer_means="it was accepted",
    errors=(422, 503, 507),
    parameters=(IDEMPOTENCY_KEY,),
    right=Right.RUN,
)
JOB = Endpoint(
    operation="job",
    method="GET",
    path="/v1/jobs/{job_id}",
    summary="The state of a job, and its results once it has ended",
    answer=JobInfo,
    answer_means="the job",
    errors=(404, 503),
    parameters=(WAIT_S, RESULTS),
    right=Right.RUN,
)
RESULT = Endpoint(
    operation="result",
    method="GET",
    path="/v1/jobs/{job_id}/results/{position}",
    summary="The result of one circuit of a job, counted from 0, or its problem; or several results",
    answer=RunResponse,
    answer_means="the result",
    errors=(404, 413, 422, 500, 503, 504, 507),
    parameters=(WAIT_S, COUNT),
    right=Right.RUN,
)
JOBS = Endpoint(
    operation="jobs",
    method="GET",
    path="/v1/jobs",
    summary="Jobs of this caller, the newest first",
    answer=JobList,
    answer_means="a page",
    errors=(404, 503),
    parameters=(STATE, BEFORE, LIMIT),
    right=Right.RUN,
)
CANCEL = Endpoint(
    operation="cancel",
    method="DELETE",
    path="/v1/jobs/{job_id}",
    summary="Cancel a job unless it has ended; its running circuits are killed",
    answer=JobInfo,
    answer_means="the job",
    errors=(404, 503),
    parameters=(RESULTS, FORGET),
    right=Right.RUN,
)
RERUN = Endpoint(
    operation="rerun",
    method="POST",
    path="/v1/jobs/{job_id}/rerun",
    summary="Accept the same request again, as a new job",
    status=202,
    answer=JobInfo,
    answer_means="it was accepted",
    errors=(404, 413, 503, 507),
    right=Right.RUN,
)
BACKEND = Endpoint(
    operation="backend",
    method="GET",
    path="/v1/backend",
    summary="Name, versions, capabilities, gates and limits",
    answer=BackendInfo,
    answer_means="what is served here",
    errors=(500, 503, 504),
)
HEALTHZ = Endpoint(
    operation="healthz",
    method="GET",
    path="/healthz",
    summary="Whether the process answers",
    answer=Health,
    answer_means="it does",
    needs_token=False,
)
READYZ = Endpoint(
    operation="readyz",
    method="GET",
    path="/readyz",
    summary="Whether the simulator is imported",
    answer=Health,
    answer_means="it is",
    errors=(503,),
    needs_token=False,
)
METRICS = Endpoint(
    operation="metrics",
    method="GET",
    path="/metrics",
    summary="Requests, runs, workers, memory and jobs",
    answer_means="in Prometheus' format",
    media_type="text/plain",
)
OPENAPI = Endpoint(
    operation="openapi",
    method="GET",
    path="/openapi.json",
    summary="The OpenAPI 3.1 document",
    answer_means="the document",
    documented=False,
)
PAGE = Endpoint(
    operation="page",
    method="GET",
    path="/",
    summary="What is served here, for people: name, state, limits and an example",
    answer_means="a page",
    needs_token=False,
    media_type="text/html",
    documented=False,
)
DOCS = Endpoint(
    operation="docs",
    method="GET",
    path="/docs",
    summary="The OpenAPI document for people, with examples",
    answer_means="a page",
    needs_token=False,
    media_type="text/html",
    documented=False,
)

ENDPOINTS: dict[str, Endpoint] = {
    endpoint.operation: endpoint
    for endpoint in (
        RUN, SUBMIT, JOB, RESULT, JOBS, CANCEL, RERUN, BACKEND, HEALTHZ, READYZ, METRICS, OPENAPI, PAGE, DOCS,
    )
}  # fmt: skip
"""Name of an operation -> its row."""

PAGES = frozenset(row.path for row in ENDPOINTS.values() if row.is_page)
"""Paths of the pages for people."""
