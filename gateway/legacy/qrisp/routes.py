"""The HTTP routes of released Qrisp clients, beside v1 on the same port.

These clients have their token in the body, so it is read from there when there is no Authorization.
Errors are problem documents like all others, with the fields that these clients read added.
"""

from __future__ import annotations

import json

import msgspec
from flask import Blueprint, Flask, Response, g, request

from gateway.errors import GatewayError
from gateway.jobs.manager import Caller
from gateway.legacy.qrisp import deployments
from gateway.legacy.qrisp.jobs import JobService
from gateway.legacy.qrisp.objects import RunMessage
from gateway.legacy.qrisp.runs import ObjectService
from gateway.protocol.messages import decode, encode
from gateway.results import JobState
from gateway.server.access.admission import Admission
from gateway.server.http.exchange import bearer_token, body, respond

NAME = "qrisp"
"""Of the blueprint: its routes look after tokens themselves."""

_PATHS = ("run", "ping", "deployments", "jobs")
"""First parts of the paths of these clients."""

_CREATED = 201
"""Also the only status with which clients believe an answer about a job."""


class _Token(msgspec.Struct):
    """The token in a body; the rest is skipped."""

    token: str | None = None


def add(app: Flask, objects: ObjectService, jobs: JobService, *, qunicorn: bool = False) -> None:
    """Add the routes to an application."""
    routes = Blueprint(NAME, __name__)
    _add_objects(routes, objects)
    _add_jobs(routes, jobs, qunicorn=qunicorn)
    _add_one_job(routes, jobs, qunicorn=qunicorn)
    app.register_blueprint(routes)
    app.after_request(_explain)


def _add_objects(routes: Blueprint, service: ObjectService) -> None:
    """Add what clients of qrisp 0.1 to 0.3 call when they speak REST."""
    admission = service.admission

    @routes.post("/run")
    def run() -> Response:
        asked = body(admission.limits.max_body_bytes)
        caller = _caller(admission, asked)
        return respond(encode(service.run(decode(RunMessage, asked), caller)))

    @routes.get("/ping")
    def ping() -> Response:
        token = bearer_token()
        if token is not None:
            admission.authenticate(token)
        return respond(encode(service.ping(trusted=token is not None or not admission.guarded)))


def _add_jobs(routes: Blueprint, service: JobService, *, qunicorn: bool) -> None:
    """Add what clients of qrisp 0.4 to 0.8.2 call."""
    admission = service.admission

    def deploy() -> Response:
        asked = body(admission.limits.max_body_bytes)
        token = bearer_token()
        if token is not None:  # the clients have none to send here
            admission.authenticate(token)
        return respond(encode(service.deploy(asked)), _CREATED)

    def order() -> Response:
        try:
            asked = body(admission.limits.max_body_bytes)
            return respond(encode(service.order(asked, _caller(admission, asked))), _CREATED)
        except GatewayError as exc:
            g.refused = service.refuse(exc)
            raise

    for slash in ("", "/") if qunicorn else ("",):
        routes.post(f"/deployments{slash}", endpoint=f"deploy{slash}")(deploy)
        routes.post(f"/jobs{slash}", endpoint=f"order{slash}")(order)


def _add_one_job(routes: Blueprint, service: JobService, *, qunicorn: bool) -> None:
    """Add the question for a job, which clients ask without a slash at the end."""

    @routes.get("/jobs/<int(signed=True):number>", strict_slashes=False)
    def view(number: int) -> Response:
        asked = body(service.admission.limits.max_body_bytes) if request.content_length else b"{}"
        found = service.view(number, _caller(service.admission, asked))
        if qunicorn and request.path.endswith("/"):
            return respond(encode(deployments.qunicorn_job(found)))
        if found.state in {JobState.FAILED, JobState.CANCELLED}:
            return respond(encode(deployments.failure(found)))
        return respond(encode(deployments.job(found)), _CREATED)


def _caller(admission: Admission, asked: bytes) -> Caller:
    """Return who asks, by the token in the header or the body.

    Nothing but the token is read of the body before it is let in. Clients that have no token send ``""``.
    """
    token = bearer_token() or decode(_Token, asked).token or None
    return admission.authenticate(token, request.remote_addr or "")


def _explain(response: Response) -> Response:
    """Add to an error what clients read: ``message``, or ``error_code`` and ``error_message``."""
    if response.status_code >= 400 and request.path.removeprefix("/").partition("/")[0] in _PATHS:  # noqa: PLR2004 - HTTP
        found = json.loads(response.get_data())
        detail = found["detail"]
        said = {"message": detail, "error": detail, "error_code": found["code"], "error_message": detail}
        if "refused" in g:
            said["id"] = g.refused
        response.set_data(json.dumps(found | said))
    return response
