"""What is taken out of an HTTP request: its body, token, numbers, trace context and idempotency key."""

from __future__ import annotations

import math
import re

from flask import request

from gateway.errors import AuthenticationError, LimitError, RequestError
from gateway.server.http.responses import JSON, HttpProblem
from gateway.server.service import Service

_KEY_LENGTH = 255
_TRACE = re.compile(r"[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def body(service: Service) -> bytes:
    """Return the whole body, or refuse it: before it is read if it is too long, after that if it was cut short.

    Without a Content-Length a body over the limit would be cut off and taken for whole.
    """
    max_bytes = service.limits.max_body_bytes
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
        service.slow_requests.arrived(arrived_on.fileno())
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


def trace_context() -> str | None:
    """Return the ``traceparent`` of the request if it is one (W3C Trace Context, section 3.2), else ``None``."""
    header = request.headers.get("traceparent")
    return header if header is not None and _TRACE.fullmatch(header) else None


def idempotency_key() -> str | None:
    """Return the request's idempotency key, if there is one."""
    key = request.headers.get("Idempotency-Key")
    if key is not None and not (0 < len(key) <= _KEY_LENGTH and key.isprintable() and key.isascii()):
        raise RequestError(
            f"an Idempotency-Key has 1 to {_KEY_LENGTH} printable ASCII characters", field="Idempotency-Key"
        )
    return key
