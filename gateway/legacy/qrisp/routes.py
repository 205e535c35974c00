"""The HTTP routes of released Qrisp clients, on the port of protocol version 1.

These clients send their token in the body, so it is read from there where the request has no Authorization header.
Errors are problem documents like all others, with additional fields that these clients read.
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
from gateway.rights import Right
from gateway.server.http.requests import bearer_token, body, on_behalf_of
from gateway.server.http.responses import respond
from gateway.server.service import Service

_PATHS = ("run", "ping", "deployments", "jobs")
"""The first parts of these clients' paths."""

_CREATED = 201
"""The status of a new resource, and the only one with which clients believe an answer about a job."""


class _Token(msgspec.Struct):
    """The token in a body; decoding skips all other fields."""

    token: str | None = None


def blueprint(service: Service, *, qunicorn: bool = False) -> Blueprint:
    """Return the routes of all these clients."""
    routes = Blueprint("qrisp", __name__)
    jobs = JobService(service)
    _add_objects(routes, service)
    _add_jobs(routes, service, jobs, qunicorn=qunicorn)
    _add_one_job(routes, service, jobs, qunicorn=qunicorn)
    routes.after_app_request(_explain)
    return routes


def _add_objects(routes: Blueprint, service: Service) -> None:
    """Add the routes of qrisp 0.1 to 0.3, whose circuits are objects."""
    authentication = service.authentication

    @routes.post("/run")
    def run() -> Response:
        content = body(service)
        caller = _caller(service, content)
        return respond(encode(runs.run(service, decode(RunMessage, content), caller)))

    @routes.get("/ping")
    def ping() -> Response:
        token = bearer_token()
        if token is not None:
            authentication.authenticate(token)
        return respond(encode(runs.ping(service, trusted=token is not None or not authentication.required)))


def _add_jobs(routes: Blueprint, service: Service, jobs: JobService, *, qunicorn: bool) -> None:
    """Add the routes by which clients of qrisp 0.4 to 0.8.2 deploy programs and order jobs."""

    def deploy() -> Response:
        content = body(service)
        token = bearer_token()
        if token is not None:  # Qrisp's clients send none here
            service.authentication.authenticate(token, on_behalf_of=on_behalf_of()).demand(Right.RUN)
        return respond(encode(jobs.deploy(content)), _CREATED)

    def order() -> Response:
        try:
            content = body(service)
            return respond(encode(jobs.order(content, _caller(service, content))), _CREATED)
        except GatewayError as exc:
            g.refused = jobs.refuse(exc)
            raise

    for slash in ("", "/") if qunicorn else ("",):
        routes.post(f"/deployments{slash}", endpoint=f"deploy{slash}")(deploy)
        routes.post(f"/jobs{slash}", endpoint=f"order{slash}")(order)


def _add_one_job(routes: Blueprint, service: Service, jobs: JobService, *, qunicorn: bool) -> None:
    """Add the route of one job; Qrisp's clients ask without a slash at the end, Qunicorn's with one."""

    @routes.get("/jobs/<int(signed=True):number>", strict_slashes=False)
    def view(number: int) -> Response:
        content = body(service) if request.content_length else b"{}"
        with jobs.view(number, _caller(service, content)) as job:
            if qunicorn and request.path.endswith("/"):
                return respond(encode(deployments.qunicorn_job(job)))
            if job.state in {JobState.FAILED, JobState.CANCELLED}:
                return respond(encode(deployments.failure(job)))
            return respond(encode(deployments.job(job)), _CREATED)


def _caller(service: Service, content: bytes) -> Caller:
    """Return who sends a request to run something, by the token in the header or in the body.

    Before the caller is let in, only the token is read from the body. Clients that have no token send ``""``.
    """
    token = bearer_token() or decode(_Token, content).token or None
    caller = service.authentication.authenticate(token, request.remote_addr or "", on_behalf_of())
    caller.demand(Right.RUN)
    return caller


def _explain(response: Response) -> Response:
    """Add to an error the fields that clients read: ``message``, or ``error_code`` and ``error_message``."""
    if response.status_code >= 400 and request.path.removeprefix("/").partition("/")[0] in _PATHS:  # noqa: PLR2004 - HTTP
        problem = json.loads(response.get_data())
        detail = problem["detail"]
        explanation = {"message": detail, "error": detail, "error_code": problem["code"], "error_message": detail}
        if "refused" in g:
            explanation["id"] = g.refused
        response.set_data(json.dumps(problem | explanation))
    return response
