"""Turns errors into problem details (RFC 9457), with our code and the fields of the error, and back."""

from __future__ import annotations

import json

from gateway.errors import BY_CODE, GatewayError, RequestError, TransportError

CONTENT_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:simulator-gateway:problem:"

_SERVER_ERRORS = 500  # statuses from here on say that the server failed
_ON_THE_WIRE = {"detail": "simulator_detail"}
"""Name of a field -> its name in a problem, where RFC 9457 uses the first for something else, as ``detail``."""


def dump(error: GatewayError) -> bytes:
    """Return an error as a problem document."""
    return dump_problem(error.code, error.status, error.title, error.message, error.circuit, error.details)


def dump_problem(
    code: str,
    status: int,
    title: str,
    detail: str,
    circuit: int | None = None,
    details: dict[str, object] | None = None,
) -> bytes:
    """Return a problem document; fields that are ``None`` are left out."""
    problem: dict[str, object] = {
        "type": TYPE_PREFIX + code,
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "circuit": circuit,
        **{_ON_THE_WIRE.get(name, name): value for name, value in (details or {}).items()},
    }
    return json.dumps({name: value for name, value in problem.items() if value is not None}, default=str).encode()


def code_of(body: bytes) -> str:
    """Return the code of one of our problem documents."""
    return str(json.loads(body)["code"])


def parse(body: bytes, status: int, url: str) -> GatewayError:
    """Return the error of a response with an error status.

    A fixed table gives the class for a ``code``, so a server cannot name any other class. A code that this client does
    not know becomes the nearest base class.
    """
    try:
        problem = json.loads(body)
        code, message = str(problem["code"]), str(problem["detail"])
    except (ValueError, KeyError, TypeError, RecursionError):
        beginning = body[:200].decode(errors="replace")
        return TransportError(f"{url} answered {status} without a problem document: {beginning!r}", url=url)
    cls = BY_CODE.get(code)
    if cls is None:
        cls = RequestError if status < _SERVER_ERRORS else GatewayError
    circuit = problem.get("circuit")
    fields = {name: problem.get(_ON_THE_WIRE.get(name, name)) for name in cls.fields}
    return cls(message, circuit=circuit if isinstance(circuit, int) else None, **fields)
