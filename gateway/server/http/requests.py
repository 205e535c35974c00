"""Reads the parts of an HTTP request: body, token, query parameters, trace context and idempotency key."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Protocol

from flask import request

from gateway.errors import LimitError, RequestError
from gateway.execution.pool import Stop
from gateway.protocol.encodings import Encoding, accepted
from gateway.protocol.endpoints import IDEMPOTENCY_KEY, Endpoint, Parameter
from gateway.protocol.refusals import named_choices
from gateway.server.access.authentication import token_in
from gateway.server.access.door_key import CALLER_HEADER
from gateway.server.http.responses import JSON, HttpProblem

if TYPE_CHECKING:
    from gateway.protocol.messages import ServerLimits


class Limited(Protocol):
    """A service with limits of requests."""

    @property
    def limits(self) -> ServerLimits:
        """Bounds that no request may exceed."""


_INTEGER = re.compile(r"-?[0-9]+")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?")
"""An integer and a number as JSON writes them; infinity is none."""

_TRACE = re.compile(r"[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


STOP = "gateway.stop"
"""The name, in the environment of a request, of what is told when its client leaves."""


def body(service: Limited) -> bytes:
    """Return the whole body of the request.

    A body that is too long is refused before it is read, and one that was cut short after that. The request needs a
    Content-Length: without it, a body over the limit would be cut off and taken for whole.
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
    if len(whole) < request.content_length:
        raise RequestError(f"the body ended after {len(whole):,} of {request.content_length:,} bytes")
    return whole


def base_url() -> str:
    """Return the address of the server as whoever sent the request has called it, without a slash at the end."""
    return request.host_url.rstrip("/")


def stop() -> Stop | None:
    """Return what is told when the client leaves; ``None`` where nobody would notice."""
    found: Stop | None = request.environ.get(STOP)
    return found


def check_query(row: Endpoint) -> None:
    """Refuse a parameter of the query that the endpoint does not have, or that is given twice.

    Raises:
        RequestError: there is such a parameter; the message names it.
    """
    known = [parameter.name for parameter in row.parameters if parameter.place == "query"]
    for name, values in request.args.lists():
        if name not in known:
            hint = named_choices(name, known) if known else "it has none"
            raise RequestError(f"{row.method} {row.path} has no parameter {name!r}: {hint}", field=name)
        if len(values) > 1:
            raise RequestError(f"{name} is given {len(values)} times: give it once", field=name)


def number(parameter: Parameter, most: float) -> float:
    """Return a number from the query, or the parameter's default, or 0; a number above ``most`` counts as ``most``.

    Raises:
        RequestError: it is no number of the parameter's type, or below the parameter's minimum.
    """
    text, least = request.args.get(parameter.name), parameter.schema["minimum"]
    is_integer = parameter.schema["type"] == "integer"
    if text is None:
        return min(float(parameter.schema.get("default", 0)), most)
    value = float(text) if (_INTEGER if is_integer else _NUMBER).fullmatch(text) else math.nan
    if not value >= least:
        noun = "an integer" if is_integer else "a number"
        raise RequestError(f"{parameter.name} must be {noun} of at least {least:g}, not {text!r}", field=parameter.name)
    return min(value, most)


def one_of(parameter: Parameter) -> str | None:
    """Return a text from the query that has to be one of the parameter's values, ``None`` if it is left out.

    Raises:
        RequestError: it is another text.
    """
    text, values = request.args.get(parameter.name), parameter.schema["enum"]
    if text is not None and text not in values:
        raise RequestError(f"{parameter.name} is one of {', '.join(values)}, not {text!r}", field=parameter.name)
    return text


def accepted_encoding() -> Encoding:
    """Return the encoding in which the sender of the request would have the answer."""
    return accepted(request.headers.get("Accept"))


def bearer_token() -> str | None:
    """Return the token in the request's Authorization, if there is one."""
    return token_in(request.headers.get("Authorization", ""))


def on_behalf_of() -> str | None:
    """Return whom the request names as its caller, which only the door may do."""
    return request.headers.get(CALLER_HEADER)


def trace_context() -> str | None:
    """Return the ``traceparent`` of the request if it is one (W3C Trace Context, section 3.2), else ``None``."""
    header = request.headers.get("traceparent")
    return header if header is not None and _TRACE.fullmatch(header) else None


def idempotency_key() -> str | None:
    """Return the request's idempotency key, if there is one."""
    name, longest = IDEMPOTENCY_KEY.name, IDEMPOTENCY_KEY.schema["maxLength"]
    key = request.headers.get(name)
    if key is not None and not (0 < len(key) <= longest and key.isprintable() and key.isascii()):
        raise RequestError(f"an {name} has 1 to {longest} printable ASCII characters", field=name)
    return key
