"""One HTTP exchange: what is taken out of a request, and how it is answered."""

from __future__ import annotations

import math

from flask import Response, request
from werkzeug.exceptions import HTTPException

from gateway.errors import AuthenticationError, LimitError, RequestError
from gateway.protocol import problem
from gateway.server.http.slow_requests import ARRIVALS

JSON = "application/json"


class HttpProblem(HTTPException):
    """An error of HTTP itself, with a code of ours."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = status
        self.problem_code = code


def respond(body: bytes, status: int = 200) -> Response:
    """Answer with JSON: a message, or from status 400 on a problem."""
    return Response(body, status, content_type=JSON if status < 400 else problem.CONTENT_TYPE)  # noqa: PLR2004 - HTTP


def body(max_bytes: int) -> bytes:
    """Return the whole body, or refuse it: before it is read if it is too long, after that if it was cut short.

    Without a Content-Length a body over the limit would be cut off and taken for whole.
    """
    if request.mimetype != JSON:
        raise HttpProblem(415, "unsupported-media-type", f"send {JSON}, not {request.mimetype or 'an untyped body'}")
    if request.content_length is None:
        raise HttpProblem(411, "length-required", "send a Content-Length: chunked bodies are not accepted")
    if request.content_length > max_bytes:
        raise LimitError(
            f"the body has {request.content_length:,} bytes; at most {max_bytes:,} are accepted",
            limit="max_body_bytes",
            requested=request.content_length,
            allowed=max_bytes,
        )
    whole = request.get_data(cache=False)
    arrived_on = request.environ.get("gunicorn.socket")
    if arrived_on is not None:
        ARRIVALS.end(arrived_on.fileno())
    if len(whole) < request.content_length:
        raise RequestError(f"the body ended after {len(whole):,} of {request.content_length:,} bytes")
    return whole


def number(name: str, default: float, least: float, most: float) -> float:
    """Return a number from the query; above ``most`` it counts as that.

    Raises:
        RequestError: it is none, or below ``least``.
    """
    text = request.args.get(name)
    try:
        value = default if text is None else float(text)
    except ValueError:
        value = math.nan
    if not value >= least:
        raise RequestError(f"{name} is a number from {least:g} on, not {text!r}", field=name)
    return min(value, most)


def bearer_token() -> str | None:
    """Return the token in the request's Authorization, if there is one."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if not kind:
        return None
    if kind.lower() != "bearer" or not token.strip():
        raise AuthenticationError("send the token as 'Authorization: Bearer TOKEN'")
    return token.strip()
