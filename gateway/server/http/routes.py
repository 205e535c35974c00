"""The native interface, version 1: runs, jobs, and what the server says of itself."""

from __future__ import annotations

from threading import BoundedSemaphore

from flask import Blueprint, Flask, Response, g, request

from gateway.errors import RequestError
from gateway.execution.pool import Executor
from gateway.jobs.manager import Caller, Jobs
from gateway.protocol.messages import JobInfo, RunRequest, decode, encode
from gateway.results import JobState
from gateway.server.access.admission import Admission
from gateway.server.http.exchange import body, number, respond
from gateway.server.telemetry.observer import CONTENT_TYPE, Observer, trace_context

_MAX_PAGE = 1000
_KEY_LENGTH = 255
_ACCEPTED = 202


def caller() -> Caller:
    """Return who sent the request at hand; he was let in already."""
    found: Caller = g.caller
    return found


def add(
    app: Flask, executor: Executor, admission: Admission, jobs: Jobs, observer: Observer, polls: BoundedSemaphore
) -> None:
    """Add the routes to an application; as many requests may wait for jobs as there are ``polls``."""
    routes = Blueprint("v1", __name__)
    _add_runs(routes, executor, admission, observer)
    _add_jobs(routes, admission, jobs)
    _add_one_job(routes, admission, jobs, polls)

    @routes.get("/metrics")
    def metrics() -> Response:
        return Response(observer.metrics(), content_type=CONTENT_TYPE)

    app.register_blueprint(routes)


def _add_runs(routes: Blueprint, executor: Executor, admission: Admission, observer: Observer) -> None:
    @routes.post("/v1/run")
    def run() -> Response:
        asked = body(admission.limits.max_body_bytes)
        timeout_s = admission.check(decode(RunRequest, asked))
        answer = observer.run(asked, caller(), timeout_s, trace_context(request.headers.get("traceparent")))
        return respond(answer.body, answer.status)

    @routes.get("/v1/backend")
    def backend() -> Response:
        answer = executor.describe()
        return respond(answer.body, answer.status)


def _add_jobs(routes: Blueprint, admission: Admission, jobs: Jobs) -> None:
    @routes.post("/v1/jobs")
    def submit() -> Response:
        asked = body(admission.limits.max_body_bytes)
        message = decode(RunRequest, asked)
        admission.check(message)
        trace = trace_context(request.headers.get("traceparent"))
        return _accepted(jobs.submit(message, asked, caller(), key=_idempotency_key(), trace=trace))

    @routes.get("/v1/jobs")
    def listing() -> Response:
        state = request.args.get("state")
        if state is not None and state not in set(JobState):
            raise RequestError(f"state is one of {', '.join(JobState)}, not {state!r}", field="state")
        limit = int(number("limit", 50, 1, _MAX_PAGE))
        before = request.args.get("before")
        page = jobs.page(caller(), state=None if state is None else JobState(state), before=before, limit=limit)
        return respond(encode(page))


def _add_one_job(routes: Blueprint, admission: Admission, jobs: Jobs, polls: BoundedSemaphore) -> None:
    @routes.get("/v1/jobs/<job_id>")
    def info(job_id: str) -> Response:
        wait_s = number("wait_s", 0, 0, admission.limits.max_poll_s)
        if not wait_s:
            return respond(encode(jobs.info(job_id, caller())))
        if not polls.acquire(blocking=False):
            response = respond(encode(jobs.info(job_id, caller())))
            response.headers["Retry-After"] = "1"
            return response
        try:
            return respond(encode(jobs.info(job_id, caller(), wait_s)))
        finally:
            polls.release()

    @routes.delete("/v1/jobs/<job_id>")
    def cancel(job_id: str) -> Response:
        return respond(encode(jobs.cancel(job_id, caller())))

    @routes.post("/v1/jobs/<job_id>/rerun")
    def rerun(job_id: str) -> Response:
        return _accepted(jobs.rerun(job_id, caller()))


def _accepted(job: JobInfo) -> Response:
    response = respond(encode(job), _ACCEPTED)
    response.headers["Location"] = f"/v1/jobs/{job.id}"
    return response


def _idempotency_key() -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not (0 < len(key) <= _KEY_LENGTH and key.isprintable() and key.isascii()):
        raise RequestError(
            f"an Idempotency-Key has 1 to {_KEY_LENGTH} printable ASCII characters", field="Idempotency-Key"
        )
    return key
