"""Makes HTTP responses: of messages, and of errors, which become problems (RFC 9457)."""

from __future__ import annotations

import logging

from flask import Response, request
from werkzeug.exceptions import HTTPException

from gateway.errors import GatewayError
from gateway.execution.content import Content, pieces_of, size_of
from gateway.protocol import problem
from gateway.protocol.encodings import Encoding

JSON = Encoding.JSON.media_type

log = logging.getLogger("gateway")


class HttpProblem(HTTPException):
    """An error of HTTP itself, with a code of ours."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = status
        self.problem_code = code


def respond(content: Content, status: int = 200, encoding: Encoding = Encoding.JSON) -> Response:
    """Return a response: a message or, from status 400 on, a problem in JSON. A large one is sent piece by piece."""
    content_type = encoding.media_type if status < 400 else problem.CONTENT_TYPE  # noqa: PLR2004 - HTTP
    if isinstance(content, bytes):
        return Response(content, status, content_type=content_type)
    response = Response(pieces_of(content), status, content_type=content_type)
    response.content_length = size_of(content)
    return response


def on_gateway_error(error: GatewayError) -> Response:
    """Respond to an error of ours with its problem."""
    response = respond(problem.dump(error), error.status)
    if error.status == 401:  # noqa: PLR2004 - RFC 9110: 401 names the scheme
        response.headers["WWW-Authenticate"] = "Bearer"
    retry_after = error.details.get("retry_after_s")
    if retry_after is not None:
        response.headers["Retry-After"] = str(max(1, round(float(str(retry_after)))))
    return response


def on_http_error(error: HTTPException) -> Response:
    """Respond to an error of HTTP itself with a problem."""
    status = error.code or 500
    title = error.name if error.code else "Error"
    code = getattr(error, "problem_code", title.lower().replace(" ", "-"))
    detail = f"{request.method} {request.path}: {error.description or title}"
    response = respond(problem.dump_problem(code, status, title, detail), status)
    if status == 405:  # noqa: PLR2004 - Method Not Allowed names the methods
        response.headers["Allow"] = ", ".join(getattr(error, "valid_methods", None) or ())
    return response


def on_surprise(error: Exception) -> Response:
    """Log an unexpected failure, and tell the client no more than that it happened."""
    log.error("a request failed unexpectedly", exc_info=error)
    return respond(problem.dump(GatewayError("the server failed unexpectedly; its log says why")), 500)
