"""Answers the requests of protocol version 1: runs, jobs, and what the server says of itself."""

from __future__ import annotations

from flask import Blueprint, Response, g, request

from gateway.errors import BusyError, RequestError
from gateway.jobs.manager import Caller
from gateway.protocol import openapi
from gateway.protocol.messages import Health, JobInfo, RunRequest, decode, encode
from gateway.results import JobState
from gateway.server.access.request_limits import check_limits
from gateway.server.http.requests import body, idempotency_key, number, trace_context
from gateway.server.http.responses import respond
from gateway.server.service import Service

PROBES = frozenset({"/healthz", "/readyz"})
"""What an orchestrator asks, without a token."""

_MAX_PAGE = 1000
_ACCEPTED = 202


def blueprint(service: Service) -> Blueprint:
    """Return the routes of protocol version 1."""
    routes = Blueprint("v1", __name__)
    _add_runs(routes, service)
    _add_jobs(routes, service)
    _add_one_job(routes, service)
    _add_what_is_seen_from_outside(routes, service)
    return routes


def _caller() -> Caller:
    """Return who sent the request at hand; they were let in already."""
    caller: Caller = g.caller
    return caller


def _add_runs(routes: Blueprint, service: Service) -> None:
    @routes.post("/v1/run")
    def run() -> Response:
        sent = body(service)
        timeout_s = check_limits(decode(RunRequest, sent), service.limits)
        answer = service.run(sent, _caller(), timeout_s, trace_context())
        return respond(answer.body, answer.status)

    @routes.get("/v1/backend")
    def backend() -> Response:
        answer = service.executor.describe()
        return respond(answer.body, answer.status)


def _add_jobs(routes: Blueprint, service: Service) -> None:
    @routes.post("/v1/jobs")
    def submit() -> Response:
        sent = body(service)
        message = decode(RunRequest, sent)
        check_limits(message, service.limits)
        return _accepted(service.jobs.submit(message, sent, _caller(), key=idempotency_key(), trace=trace_context()))

    @routes.get("/v1/jobs")
    def listing() -> Response:
        state = request.args.get("state")
        if state is not None and state not in set(JobState):
            raise RequestError(f"state is one of {', '.join(JobState)}, not {state!r}", field="state")
        limit = int(number("limit", 50, 1, _MAX_PAGE))
        before = request.args.get("before")
        page = service.jobs.page(_caller(), None if state is None else JobState(state), before, limit)
        return respond(encode(page))


def _add_one_job(routes: Blueprint, service: Service) -> None:
    @routes.get("/v1/jobs/<job_id>")
    def info(job_id: str) -> Response:
        wait_s = number("wait_s", 0, 0, service.limits.max_poll_s)
        if not wait_s:
            return respond(encode(service.jobs.info(job_id, _caller())))
        with service.waiting_place() as may_wait:
            response = respond(encode(service.jobs.info(job_id, _caller(), wait_s if may_wait else 0)))
        if not may_wait:
            response.headers["Retry-After"] = "1"
        return response

    @routes.delete("/v1/jobs/<job_id>")
    def cancel(job_id: str) -> Response:
        return respond(encode(service.jobs.cancel(job_id, _caller())))

    @routes.post("/v1/jobs/<job_id>/rerun")
    def rerun(job_id: str) -> Response:
        return _accepted(service.jobs.rerun(job_id, _caller()))


def _add_what_is_seen_from_outside(routes: Blueprint, service: Service) -> None:
    """Add what an orchestrator and Prometheus ask, and the document that says what else there is."""

    @routes.get("/healthz")
    def healthz() -> Response:
        return respond(encode(Health()))

    @routes.get("/readyz")
    def readyz() -> Response:
        if not service.executor.ready:
            raise BusyError("the simulator is not imported yet, or cannot be: /v1/backend says", retry_after_s=1.0)
        return respond(encode(Health("ready")))

    @routes.get("/metrics")
    def metrics() -> Response:
        # a server's start need not wait for Prometheus' library
        from gateway.server.telemetry.metrics import CONTENT_TYPE, render  # noqa: PLC0415

        return Response(render(service), content_type=CONTENT_TYPE)

    @routes.get("/openapi.json")
    def openapi_document() -> Response:
        return respond(encode(openapi.document()))


def _accepted(job: JobInfo) -> Response:
    response = respond(encode(job), _ACCEPTED)
    response.headers["Location"] = f"/v1/jobs/{job.id}"
    return response
