"""The HTTP routes of released Qrisp clients, beside v1 on the same port.

These clients have their token in the body, so it is read from there when there is no Authorization.
Errors are problem documents like all others, with the fields that these clients read added.
"""

from __future__ import annotations

import json

import msgspec
from flask import Blueprint, Response, g, request

from gateway.errors import GatewayError
from gateway.jobs.manager import Caller
from gateway.legacy.qrisp import deployments, runs
from gateway.legacy.qrisp.jobs import JobService
from gateway.legacy.qrisp.objects import RunMessage
from gateway.protocol.messages import decode, encode
from gateway.results import JobState
from gateway.server.http.requests import bearer_token, body
from gateway.server.http.responses import respond
from gateway.server.service import Service

_PATHS = ("run", "ping", "deployments", "jobs")
"""First parts of the paths of these clients."""

_CREATED = 201
"""Also the only status with which clients believe an answer about a job."""


class _Token(msgspec.Struct):
    """The token in a body; the rest is skipped."""

    token: str | None = None


def blueprint(service: Service, *, qunicorn: bool = False) -> Blueprint:
    """Return the routes."""
    routes = Blueprint("qrisp", __name__)
    jobs = JobService(service)
    _add_objects(routes, service)
    _add_jobs(routes, service, jobs, qunicorn=qunicorn)
    _add_one_job(routes, service, jobs, qunicorn=qunicorn)
    routes.after_app_request(_explain)
    return routes


def _add_objects(routes: Blueprint, service: Service) -> None:
    """Add what clients of qrisp 0.1 to 0.3 call when they speak REST."""
    authentication = service.authentication

    @routes.post("/run")
    def run() -> Response:
        sent = body(service)
        caller = _caller(service, sent)
        return respond(encode(runs.run(service, decode(RunMessage, sent), caller)))

    @routes.get("/ping")
    def ping() -> Response:
        token = bearer_token()
        if token is not None:
            authentication.authenticate(token)
        return respond(encode(runs.ping(service, trusted=token is not None or not authentication.required)))


def _add_jobs(routes: Blueprint, service: Service, jobs: JobService, *, qunicorn: bool) -> None:
    """Add what clients of qrisp 0.4 to 0.8.2 call."""

    def deploy() -> Response:
        sent = body(service)
        token = bearer_token()
        if token is not None:  # the clients have none to send here
            service.authentication.authenticate(token)
        return respond(encode(jobs.deploy(sent)), _CREATED)

    def order() -> Response:
        try:
            sent = body(service)
            return respond(encode(jobs.order(sent, _caller(service, sent))), _CREATED)
        except GatewayError as exc:
            g.refused = jobs.refuse(exc)
            raise

    for slash in ("", "/") if qunicorn else ("",):
        routes.post(f"/deployments{slash}", endpoint=f"deploy{slash}")(deploy)
        routes.post(f"/jobs{slash}", endpoint=f"order{slash}")(order)


def _add_one_job(routes: Blueprint, service: Service, jobs: JobService, *, qunicorn: bool) -> None:
    """Add the question for a job, which clients ask without a slash at the end."""

    @routes.get("/jobs/<int(signed=True):number>", strict_slashes=False)
    def view(number: int) -> Response:
        sent = body(service) if request.content_length else b"{}"
        job = jobs.view(number, _caller(service, sent))
        if qunicorn and request.path.endswith("/"):
            return respond(encode(deployments.qunicorn_job(job)))
        if job.state in {JobState.FAILED, JobState.CANCELLED}:
            return respond(encode(deployments.failure(job)))
        return respond(encode(deployments.job(job)), _CREATED)


def _caller(service: Service, sent: bytes) -> Caller:
    """Return who sends a request, by the token in the header or the body.

    Nothing but the token is read of the body before the caller is let in. Clients that have no token send ``""``.
    """
    token = bearer_token() or decode(_Token, sent).token or None
    return service.authentication.authenticate(token, request.remote_addr or "")


def _explain(response: Response) -> Response:
    """Add to an error what clients read: ``message``, or ``error_code`` and ``error_message``."""
    if response.status_code >= 400 and request.path.removeprefix("/").partition("/")[0] in _PATHS:  # noqa: PLR2004 - HTTP
        problem = json.loads(response.get_data())
        detail = problem["detail"]
        explanation = {"message": detail, "error": detail, "error_code": problem["code"], "error_message": detail}
        if "refused" in g:
            explanation["id"] = g.refused
        response.set_data(json.dumps(problem | explanation))
    return response
