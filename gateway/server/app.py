"""The HTTP application. HTTP threads only check and hand over: they never simulate."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Collection

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from gateway.errors import BusyError, GatewayError
from gateway.execution.pool import Executor
from gateway.protocol import openapi, problem
from gateway.protocol.messages import Health, RunRequest, ServerLimits, decode, encode
from gateway.server import routes_qrisp
from gateway.server.admission import Admission
from gateway.server.exchange import bearer_token, body, respond

PROBES = frozenset({"/healthz", "/readyz"})
"""What an orchestrator asks, without a token."""

log = logging.getLogger("gateway")

_READ_TO_THE_END = 8
"""How many times the largest body is read from a client whose request was refused before it was sent."""


def create_app(executor: Executor, limits: ServerLimits | None = None, token_digests: Collection[str] = ()) -> Flask:
    """Return the application that serves one backend.

    Args:
        executor: where the requests are run; a :class:`~gateway.execution.pool.WorkerPool`, or in
            tests an :class:`~gateway.execution.pool.InlineExecutor`.
        limits: what a request may not exceed.
        token_digests: SHA-256, in hex, of the tokens that are let in; empty lets everybody in.
            ``/healthz`` and ``/readyz`` need no token.
    """
    limits = limits or ServerLimits()
    admission = Admission(limits, token_digests)
    app = Flask("gateway.server", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = limits.max_body_bytes

    @app.before_request
    def authenticate() -> None:
        if request.path not in PROBES and request.blueprint != routes_qrisp.NAME:  # those know other ways for a token
            admission.authenticate(bearer_token())

    @app.post("/v1/run")
    def run() -> Response:
        asked = body(limits.max_body_bytes)
        timeout_s = admission.check(decode(RunRequest, asked))
        answer = executor.run(asked, bearer_token(), timeout_s)
        return respond(answer.body, answer.status)

    @app.get("/v1/backend")
    def backend() -> Response:
        answer = executor.describe()
        return respond(answer.body, answer.status)

    @app.get("/openapi.json")
    def openapi_document() -> Response:
        return respond(encode(openapi.document()))

    @app.after_request
    def read_to_the_end(response: Response) -> Response:
        """Take what a client still sends: it would not see the answer if the connection broke before that."""
        left = limits.max_body_bytes * _READ_TO_THE_END
        with contextlib.suppress(OSError):
            while left > 0 and (chunk := request.environ["wsgi.input"].read(2**16)):
                left -= len(chunk)
        return response

    _add_probes(app, executor)
    routes_qrisp.add(app, executor, admission)
    app.register_error_handler(GatewayError, _on_gateway_error)
    app.register_error_handler(HTTPException, _on_http_error)
    app.register_error_handler(Exception, _on_surprise)
    return app


def _add_probes(app: Flask, executor: Executor) -> None:
    """Add what an orchestrator asks."""

    @app.get("/healthz")
    def healthz() -> Response:
        return respond(encode(Health()))

    @app.get("/readyz")
    def readyz() -> Response:
        if not executor.ready:
            raise BusyError("the simulator is not imported yet, or cannot be: /v1/backend says", retry_after_s=1.0)
        return respond(encode(Health("ready")))


def _on_gateway_error(error: GatewayError) -> Response:
    response = respond(problem.dump(error), error.status)
    if error.status == 401:  # noqa: PLR2004 - RFC 9110: 401 names the scheme
        response.headers["WWW-Authenticate"] = "Bearer"
    retry_after = error.details.get("retry_after_s")
    if retry_after is not None:
        response.headers["Retry-After"] = str(max(1, round(float(str(retry_after)))))
    return response


def _on_http_error(error: HTTPException) -> Response:
    status = error.code or 500
    title = error.name if error.code else "Error"
    code = getattr(error, "problem_code", title.lower().replace(" ", "-"))
    detail = f"{request.method} {request.path}: {error.description or title}"
    response = respond(problem.dump_problem(code, status, title, detail), status)
    if status == 405:  # noqa: PLR2004 - Method Not Allowed names the methods
        response.headers["Allow"] = ", ".join(getattr(error, "valid_methods", None) or ())
    return response


def _on_surprise(error: Exception) -> Response:
    log.error("a request failed unexpectedly", exc_info=error)
    return respond(problem.dump(GatewayError("the server failed unexpectedly; its log says why")), 500)
