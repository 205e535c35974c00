"""The HTTP routes of released Qrisp clients, beside v1 on the same port.

A client of these has its token in the body, so it is read from there when there is no Authorization.
Errors are problem documents like all others, with the fields that these clients read added.
"""

from __future__ import annotations

import json

import msgspec
from flask import Blueprint, Flask, Response, request

from gateway.execution.pool import Executor
from gateway.protocol.messages import decode, encode
from gateway.protocol.qrisp.objects import RunMessage
from gateway.server.admission import Admission
from gateway.server.exchange import bearer_token, body, respond
from gateway.server.qrisp_runs import ObjectService

NAME = "qrisp"
"""Of the blueprint: its routes look after tokens themselves."""

_PATHS = ("run", "ping")
"""First parts of the paths of these clients."""


class _Token(msgspec.Struct):
    """The token in a body; the rest is skipped."""

    token: str | None = None


def add(app: Flask, executor: Executor, admission: Admission) -> None:
    """Add the routes to an application."""
    routes = Blueprint(NAME, __name__)
    _add_objects(routes, ObjectService(executor, admission), admission)
    app.register_blueprint(routes)
    app.after_request(_explain)


def _add_objects(routes: Blueprint, service: ObjectService, admission: Admission) -> None:
    """Add what clients of qrisp 0.1 to 0.3 call when they speak REST."""

    @routes.post("/run")
    def run() -> Response:
        asked = body(admission.limits.max_body_bytes)
        token = _authenticated(admission, asked)
        message = msgspec.structs.replace(decode(RunMessage, asked), token=token)
        return respond(encode(service.run(message)))

    @routes.get("/ping")
    def ping() -> Response:
        token = bearer_token()
        if token is not None:
            admission.authenticate(token)
        return respond(encode(service.ping(trusted=token is not None or not admission.guarded)))


def _authenticated(admission: Admission, asked: bytes) -> str | None:
    """Return the token of a request, from its header or its body, after it was let in.

    Nothing but the token is read of the body before that.
    """
    token = bearer_token() or decode(_Token, asked).token or None
    admission.authenticate(token)
    return token


def _explain(response: Response) -> Response:
    """Add to an error what clients read: ``message``, or ``error_code`` and ``error_message``."""
    if response.status_code >= 400 and request.path.removeprefix("/").partition("/")[0] in _PATHS:  # noqa: PLR2004 - HTTP
        found = json.loads(response.get_data())
        said = {"message": found["detail"], "error_code": found["code"], "error_message": found["detail"]}
        response.set_data(json.dumps(found | said))
    return response
