"""The HTTP application. HTTP threads only check and hand over: they never simulate."""

from __future__ import annotations

import contextlib
import logging
from threading import BoundedSemaphore

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from gateway.errors import BusyError, GatewayError
from gateway.execution.pool import Executor
from gateway.jobs.manager import Jobs
from gateway.jobs.store import JobStore
from gateway.legacy.qrisp import routes as routes_qrisp
from gateway.legacy.qrisp.jobs import JobService
from gateway.legacy.qrisp.runs import ObjectService
from gateway.protocol import openapi, problem
from gateway.protocol.messages import Health, ServerLimits, encode
from gateway.server.access.admission import Admission
from gateway.server.access.tokens import Tokens
from gateway.server.access.web_pages import WebGuard
from gateway.server.http import routes as routes_v1
from gateway.server.http.exchange import bearer_token, respond
from gateway.server.telemetry.observer import Observer

PROBES = frozenset({"/healthz", "/readyz"})
"""What an orchestrator asks, without a token."""

log = logging.getLogger("gateway")

_READ_TO_THE_END = 8
"""How many times the largest body is read from a client whose request was refused before it was sent."""


def create_app(
    executor: Executor,
    limits: ServerLimits | None = None,
    *,
    store: JobStore | None = None,
    tokens: Tokens | None = None,
    guard: WebGuard | None = None,
    qunicorn: bool = False,
) -> Flask:
    """Return the application that serves one backend.

    Its ``extensions["gateway_jobs"]`` are the jobs it runs; close them when it ends. ``"gateway_observer"``
    notes runs that come in on other ways than HTTP.

    Args:
        executor: where the requests are run; a :class:`~gateway.execution.pool.WorkerPool`, or in
            tests an :class:`~gateway.execution.pool.InlineExecutor`.
        limits: what a request may not exceed.
        store: where jobs are kept; in memory by default. Handed over.
        tokens: which are let in; everybody by default. ``/healthz`` and ``/readyz`` need none.
        guard: what web pages and host names are let in.
        qunicorn: whether paths with a slash at the end answer like Qunicorn, not like Qrisp's old server.
    """
    limits = limits or ServerLimits()
    admission = Admission(limits, tokens or Tokens())
    observer = Observer(executor)
    jobs = observer.jobs = Jobs(executor, store or JobStore(), limits, observer.ran_for_job)
    app = Flask("gateway.server", static_folder=None)
    app.extensions |= {"gateway_jobs": jobs, "gateway_observer": observer}
    app.url_map.merge_slashes = False  # would redirect, and no path of ours has two names
    app.config["MAX_CONTENT_LENGTH"] = limits.max_body_bytes
    (guard or WebGuard()).watch(app)
    _add_authentication(app, admission)
    _add_probes(app, executor)
    polls = BoundedSemaphore(limits.max_polls)  # others are answered at once, and ask again
    routes_v1.add(app, executor, admission, jobs, observer, polls)
    routes_qrisp.add(app, ObjectService(observer, admission), JobService(jobs, admission, polls), qunicorn=qunicorn)
    _add_after_thoughts(app, limits, observer)
    app.register_error_handler(GatewayError, _on_gateway_error)
    app.register_error_handler(HTTPException, _on_http_error)
    app.register_error_handler(Exception, _on_surprise)
    return app


def _add_authentication(app: Flask, admission: Admission) -> None:
    """Find out who asks, for all but the probes and those who know other ways for a token."""

    @app.before_request
    def authenticate() -> None:
        if request.path not in PROBES and request.blueprint != routes_qrisp.NAME:
            g.caller = admission.authenticate(bearer_token(), request.remote_addr or "")


def _add_probes(app: Flask, executor: Executor) -> None:
    """Add what an orchestrator asks, and the document that says what else there is."""

    @app.get("/healthz")
    def healthz() -> Response:
        return respond(encode(Health()))

    @app.get("/readyz")
    def readyz() -> Response:
        if not executor.ready:
            raise BusyError("the simulator is not imported yet, or cannot be: /v1/backend says", retry_after_s=1.0)
        return respond(encode(Health("ready")))

    @app.get("/openapi.json")
    def openapi_document() -> Response:
        return respond(encode(openapi.document()))


def _add_after_thoughts(app: Flask, limits: ServerLimits, observer: Observer) -> None:
    """Count every answer, and take what a client still sends."""

    @app.after_request
    def read_to_the_end(response: Response) -> Response:
        """Read on: a client would not see the answer if the connection broke before it has sent all."""
        left = limits.max_body_bytes * _READ_TO_THE_END
        with contextlib.suppress(OSError):
            while left > 0 and (chunk := request.environ["wsgi.input"].read(2**16)):
                left -= len(chunk)
        return response

    @app.after_request
    def count(response: Response) -> Response:
        observer.responded(request.url_rule.rule if request.url_rule else None, response.status_code)
        return response


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
