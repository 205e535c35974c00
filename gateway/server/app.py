"""The HTTP application. HTTP threads only check and hand over: they never simulate."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import logging
from collections.abc import Collection

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from gateway.errors import AuthenticationError, BusyError, GatewayError, LimitError, RequestError
from gateway.execution.pool import Executor
from gateway.protocol import openapi, problem
from gateway.protocol.messages import Health, RunRequest, ServerLimits, decode, encode

JSON = "application/json"
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
    app = Flask("gateway.server", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = limits.max_body_bytes

    @app.before_request
    def authenticate() -> None:
        if token_digests and request.path not in PROBES:
            _authenticate(_token(), token_digests)

    @app.post("/v1/run")
    def run() -> Response:
        body = _body(limits)
        message = decode(RunRequest, body)
        timeout_s = _check(message, limits)
        answer = executor.run(body, _token(), timeout_s)
        return _respond(answer.body, answer.status)

    @app.get("/v1/backend")
    def backend() -> Response:
        answer = executor.describe()
        return _respond(answer.body, answer.status)

    @app.get("/openapi.json")
    def openapi_document() -> Response:
        return _respond(encode(openapi.document()))

    @app.after_request
    def read_to_the_end(response: Response) -> Response:
        """Take what a client still sends: it would not see the answer if the connection broke before that."""
        left = limits.max_body_bytes * _READ_TO_THE_END
        with contextlib.suppress(OSError):
            while left > 0 and (chunk := request.environ["wsgi.input"].read(2**16)):
                left -= len(chunk)
        return response

    _add_probes(app, executor)
    app.register_error_handler(GatewayError, _on_gateway_error)
    app.register_error_handler(HTTPException, _on_http_error)
    app.register_error_handler(Exception, _on_surprise)
    return app


def _add_probes(app: Flask, executor: Executor) -> None:
    """Add what an orchestrator asks."""

    @app.get("/healthz")
    def healthz() -> Response:
        return _respond(encode(Health()))

    @app.get("/readyz")
    def readyz() -> Response:
        if not executor.ready:
            raise BusyError("the simulator is not imported yet, or cannot be: /v1/backend says", retry_after_s=1.0)
        return _respond(encode(Health("ready")))


def _respond(body: bytes, status: int = 200) -> Response:
    return Response(body, status, content_type=JSON if status < 400 else problem.CONTENT_TYPE)  # noqa: PLR2004 - HTTP


def _body(limits: ServerLimits) -> bytes:
    """Return the whole body, or refuse it before it is read.

    Without a Content-Length a body over the limit would be cut off and taken for whole.
    """
    if request.mimetype != JSON:
        raise _HttpProblem(415, "unsupported-media-type", f"send {JSON}, not {request.mimetype or 'an untyped body'}")
    if request.content_length is None:
        raise _HttpProblem(411, "length-required", "send a Content-Length: chunked bodies are not accepted")
    if request.content_length > limits.max_body_bytes:
        raise LimitError(
            f"the body has {request.content_length:,} bytes; at most {limits.max_body_bytes:,} are accepted",
            limit="max_body_bytes",
            requested=request.content_length,
            allowed=limits.max_body_bytes,
        )
    return request.get_data(cache=False)


def _check(message: RunRequest, limits: ServerLimits) -> float:
    """Hold a request to the limits that need no parsing; return its deadline in seconds."""
    circuits = message.circuit_list()
    if not circuits:
        raise RequestError("the list of circuits is empty", field="circuits")
    for limit, requested, allowed in (
        ("max_circuits", len(circuits), limits.max_circuits),
        ("max_shots", max([shots or 0 for shots in message.shots_list()]), limits.max_shots),
        ("timeout_s", message.timeout_s or 0, limits.timeout_s),
    ):
        if requested > allowed:
            raise LimitError(
                f"{limit} is {allowed:,}; {requested:,} were asked for",
                limit=limit,
                requested=requested,
                allowed=allowed,
            )
    return message.timeout_s or limits.timeout_s


def _token() -> str | None:
    """Return the bearer token of the request, if there is one."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if not kind:
        return None
    if kind.lower() != "bearer" or not token.strip():
        raise AuthenticationError("send the token as 'Authorization: Bearer TOKEN'")
    return token.strip()


def _authenticate(token: str | None, digests: Collection[str]) -> None:
    """Let a token in if its digest is one of ours, compared in constant time."""
    if token is None:
        raise AuthenticationError("this server wants a token: send 'Authorization: Bearer TOKEN'")
    digest = hashlib.sha256(token.encode()).hexdigest()
    if not any([hmac.compare_digest(digest, known) for known in digests]):  # noqa: C419 - all of them, in constant time
        raise AuthenticationError("the token is wrong")


class _HttpProblem(HTTPException):
    """An error of HTTP itself, with a code of ours."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = status
        self.problem_code = code


def _on_gateway_error(error: GatewayError) -> Response:
    response = _respond(problem.dump(error), error.status)
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
    response = _respond(problem.dump_problem(code, status, title, detail), status)
    if status == 405:  # noqa: PLR2004 - Method Not Allowed names the methods
        response.headers["Allow"] = ", ".join(getattr(error, "valid_methods", None) or ())
    return response


def _on_surprise(error: Exception) -> Response:
    log.error("a request failed unexpectedly", exc_info=error)
    return _respond(problem.dump(GatewayError("the server failed unexpectedly; its log says why")), 500)
