"""Answers the requests of protocol version 1: each row of the table of endpoints has one handler."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial

from flask import Blueprint, Response, g, request

from gateway.errors import AuthenticationError, BusyError, GatewayError, RequestError
from gateway.execution.content import whole
from gateway.jobs.manager import Caller
from gateway.protocol import endpoints, openapi, problem
from gateway.protocol.encodings import Encoding, recoded
from gateway.protocol.endpoints import ENDPOINTS, Endpoint
from gateway.protocol.messages import BackendInfo, Health, JobInfo, RunRequest, decode, encode
from gateway.results import JobState
from gateway.server.access.request_limits import check_limits
from gateway.server.http.pages import page_response
from gateway.server.http.requests import (
    accepted_encoding,
    base_url,
    bearer_token,
    body,
    check_query,
    idempotency_key,
    number,
    one_of,
    stop,
    trace_context,
)
from gateway.server.http.responses import respond
from gateway.server.service import Service

PROBES = frozenset(row.path for row in ENDPOINTS.values() if row.is_probe)
"""Paths of the endpoints that an orchestrator asks."""

OPEN = frozenset(row.path for row in ENDPOINTS.values() if not row.needs_token)
"""Paths of the endpoints that need no token."""

_OK = 200
_LONGEST_NUMBER = 18
"""Digits of the number of a circuit; no job has circuits with longer ones."""


def blueprint(service: Service) -> Blueprint:
    """Return the routes of protocol version 1."""
    routes = Blueprint("v1", __name__)
    for row in ENDPOINTS.values():
        rule = row.path.replace("{", "<").replace("}", ">")
        routes.add_url_rule(rule, row.operation, partial(_answer, row, service), methods=[row.method])
    return routes


def probes(service: Service) -> dict[str, Callable[[], Response]]:
    """Return what answers the probes: path -> a function that needs no request and returns at once."""
    return {row.path: partial(HANDLERS[row.operation], service) for row in ENDPOINTS.values() if row.path in PROBES}


def _answer(row: Endpoint, service: Service, **path: str) -> Response:
    if row.path not in OPEN:  # what probes a server, or leads to a page, may add parameters of its own
        check_query(row)
    if row.right is not None:
        _caller().demand(row.right)
    return HANDLERS[row.operation](service, **path)


def _caller() -> Caller:
    """Return the authenticated caller of the current request."""
    caller: Caller = g.caller
    return caller


# ---------------------------------------------------------------------------- runs


def _run(service: Service) -> Response:
    content = body(service)
    message = decode(RunRequest, content)
    timeout_s = check_limits(message, service.limits)
    encoding = accepted_encoding()
    answer = service.run(content, _caller(), timeout_s, trace_context(), encoding, message=message, stop=stop())
    return respond(answer.body, answer.status, encoding)


def _backend(service: Service) -> Response:
    answer, encoding = service.executor.describe(), accepted_encoding()
    if encoding is Encoding.JSON or answer.status != _OK:
        return respond(answer.body, answer.status)
    return respond(recoded(whole(answer.body)), answer.status, encoding)


def _respond_with(message: object, status: int = _OK) -> Response:
    """Return a response with a message, in the encoding that its reader prefers."""
    encoding = accepted_encoding()
    return respond(encode(message, encoding), status, encoding)


# ---------------------------------------------------------------------------- jobs


def _submit(service: Service) -> Response:
    content = body(service)
    message = decode(RunRequest, content)
    check_limits(message, service.limits)
    job = service.jobs.submit(
        message, content, _caller(), key=idempotency_key(), trace=trace_context(), encoding=accepted_encoding()
    )
    return _accepted(job)


def _job(service: Service, job_id: str) -> Response:
    return _waiting(service, lambda wait_s: _job_state(service, job_id, wait_s))


def _waiting(service: Service, answer: Callable[[float], Response]) -> Response:
    """Return an answer for which the request waits, as long as it says, if it finds a place for that."""
    wait_s = number(endpoints.WAIT_S, service.limits.max_poll_s)
    if not wait_s:
        return answer(0)
    with service.waiting_place(_caller().name) as may_wait:
        response = answer(wait_s if may_wait else 0)
    if not may_wait:
        response.headers["Retry-After"] = "1"
    return response


def _job_state(service: Service, job_id: str, wait_s: float = 0) -> Response:
    """Return the state of a job, with its results unless the request leaves them out."""
    if one_of(endpoints.RESULTS) == "false":
        return _respond_with(service.jobs.info(job_id, _caller(), wait_s))
    answer = service.jobs.answer(job_id, _caller(), wait_s, accepted_encoding())
    return respond(answer.body, answer.status, answer.encoding)


def _result(service: Service, job_id: str, position: str) -> Response:
    if not position.isascii() or not position.isdecimal():
        raise RequestError(f"the number of a circuit is 0, 1, 2 and so on, not {position!r:.100}", field="position")
    first = int(position) if len(position) <= _LONGEST_NUMBER else sys.maxsize
    count = int(number(endpoints.COUNT, endpoints.MAX_PAGE))

    def respond_after(wait_s: float) -> Response:
        answer = service.jobs.result(job_id, first, _caller(), accepted_encoding(), wait_s=wait_s, count=count)
        return respond(answer.body, answer.status, answer.encoding)

    return _waiting(service, respond_after)


def _jobs(service: Service) -> Response:
    state = one_of(endpoints.STATE)
    limit = int(number(endpoints.LIMIT, endpoints.MAX_PAGE))
    before = request.args.get(endpoints.BEFORE.name)
    page = service.jobs.page(_caller(), None if state is None else JobState(state), before, limit)
    return _respond_with(page)


def _cancel(service: Service, job_id: str) -> Response:
    forget, _ = one_of(endpoints.FORGET) == "true", one_of(endpoints.RESULTS)  # both are checked before it is cancelled
    service.jobs.cancel(job_id, _caller())
    return _respond_with(service.jobs.forget(job_id, _caller())) if forget else _job_state(service, job_id)


def _rerun(service: Service, job_id: str) -> Response:
    return _accepted(service.jobs.rerun(job_id, _caller()))


def _accepted(job: JobInfo) -> Response:
    response = _respond_with(job, endpoints.SUBMIT.status)
    response.headers["Location"] = endpoints.JOB.url(job.id)
    return response


# ---------------------------------------------------------------------------- probes, metrics, documents


def _healthz(_service: Service) -> Response:
    return respond(encode(Health()))


def _readyz(service: Service) -> Response:
    if not service.executor.ready:
        raise BusyError("the simulator is not imported: GET /v1/backend waits for it, or says why", retry_after_s=1.0)
    return respond(encode(Health("ready")))


def _metrics(service: Service) -> Response:
    # Imported here, so that the start of a server need not wait for the library of Prometheus.
    from gateway.server.telemetry.metrics import CONTENT_TYPE, render  # noqa: PLC0415

    text = render(service.telemetry, service.executor, service.jobs)
    return Response(text, content_type=CONTENT_TYPE)


def _openapi(_service: Service) -> Response:
    return respond(encode(openapi.document()))


# ---------------------------------------------------------------------------- pages


def _page(service: Service) -> Response:
    # Imported here, so that the start of a server need not wait for what few ask for.
    from gateway.server.documents.simulator import locked_page, simulator_page  # noqa: PLC0415

    needs_token = service.authentication.required
    try:
        service.authentication.authenticate(bearer_token())
    except AuthenticationError:
        return page_response(locked_page(base_url()))
    return page_response(simulator_page(_described(service), _load(service), base_url(), needs_token=needs_token))


def _described(service: Service) -> BackendInfo | GatewayError | None:
    """Return what is served, or why nothing is; ``None`` while that is not known yet."""
    if not service.executor.ready:
        return None
    try:
        answer = service.executor.describe()
    except GatewayError as exc:
        return exc
    content = whole(answer.body)
    return decode(BackendInfo, content) if answer.status == _OK else problem.parse(content, answer.status, "")


def _load(service: Service) -> str:
    """Return what the server has to do, in a few words."""
    jobs = service.jobs.states()
    load = {
        "worker": service.executor.workers,
        "waiting run": service.executor.waiting,
        "queued job": jobs[JobState.QUEUED],
        "running job": jobs[JobState.RUNNING],
    }
    return ", ".join(f"{number} {noun}{'s' * (number != 1)}" for noun, number in load.items())


def _docs(service: Service) -> Response:
    from gateway.server.documents.docs import docs_page  # noqa: PLC0415 - as above

    return page_response(docs_page(openapi.SIMULATOR, base_url(), needs_token=service.authentication.required))


HANDLERS: dict[str, Callable[..., Response]] = {
    "run": _run,
    "submit": _submit,
    "job": _job,
    "result": _result,
    "jobs": _jobs,
    "cancel": _cancel,
    "rerun": _rerun,
    "backend": _backend,
    "healthz": _healthz,
    "readyz": _readyz,
    "metrics": _metrics,
    "openapi": _openapi,
    "page": _page,
    "docs": _docs,
}
"""Operation of an endpoint -> its handler, which takes the service and the parameters of the path."""
