"""Errors on the wire: RFC 9457 problem details, with our code and the error's fields."""

from __future__ import annotations

import json

from gateway.errors import BY_CODE, GatewayError, RequestError, TransportError

CONTENT_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:simulator-gateway:problem:"

_ON_THE_WIRE = {"detail": "simulator_detail"}
"""Fields whose name RFC 9457 has taken: its ``detail`` is our message."""


def dump(error: GatewayError) -> bytes:
    """Return an error as a problem document."""
    title = (type(error).__doc__ or error.code).splitlines()[0].rstrip(".").replace("``", "")
    return dump_problem(error.code, error.status, title, error.message, error.circuit, error.details)


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
    """Return the code of a problem document of ours."""
    return str(json.loads(body)["code"])


def about(body: bytes, circuit: int) -> bytes:
    """Return a problem document of ours with the number of the circuit it is about."""
    return json.dumps({**json.loads(body), "circuit": circuit}).encode()


def parse(body: bytes, status: int, url: str) -> GatewayError:
    """Return the error that a response with an error status stands for.

    The class comes from a fixed table by ``code``; a server cannot name any other. A code unknown
    to this client becomes the nearest base class.
    """
    try:
        problem = json.loads(body)
        code, message = str(problem["code"]), str(problem["detail"])
    except (ValueError, KeyError, TypeError, RecursionError):
        shown = body[:200].decode(errors="replace")
        return TransportError(f"{url} answered {status} without a problem document: {shown!r}", url=url)
    cls = BY_CODE.get(code)
    if cls is None:
        cls = RequestError if status < 500 else GatewayError  # noqa: PLR2004 - server errors begin at 500
    circuit = problem.get("circuit")
    fields = {name: problem.get(_ON_THE_WIRE.get(name, name)) for name in cls.fields}
    return cls(message, circuit=circuit if isinstance(circuit, int) else None, **fields)
