"""Recognises errors of any vendor's SDK: failures of the network, missing permissions, and things that do not exist.

SDKs wrap the original exception in classes of their own, so these functions look at the whole chain of causes.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator

import requests

from gateway.errors import AuthenticationError, BusyError, GatewayError, TransportError, TransportTimeout

_NOT_FOUND = 404
_BY_STATUS: dict[int | None, type[GatewayError]] = {
    401: AuthenticationError,
    403: AuthenticationError,
    429: BusyError,
    502: TransportError,
    503: BusyError,
    504: TransportTimeout,
}
"""HTTP status of a vendor's answer -> the class of our error."""

_TIMEOUTS = (TimeoutError, requests.Timeout)
_NETWORK = (ConnectionError, requests.ConnectionError, socket.gaierror, ssl.SSLError)
_NOT_FOUND_TEXT = re.compile(
    r"not found|not exist|no such|no job|unknown job|(could ?n.t|could not|cannot) find", re.IGNORECASE
)


def cause_chain(exc: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception, then its cause, then the cause of that, and so on."""
    visited: set[int] = set()
    while exc is not None and id(exc) not in visited:
        visited.add(id(exc))
        yield exc
        exc = exc.__cause__ or exc.__context__


def access_error(exc: BaseException, name: str) -> GatewayError | None:
    """Return our error if the vendor could not be reached, was busy or denied access; ``None`` for other errors.

    Args:
        exc: the exception that the SDK raised.
        name: the name of the backend, for the message.
    """
    for cause in cause_chain(exc):
        text = f"{exc}" if cause is exc else f"{exc} ({cause})"
        if isinstance(cause, _TIMEOUTS):
            return TransportTimeout(f"{name} did not answer in time: {text}")
        if isinstance(cause, _NETWORK):
            return TransportError(f"{name} cannot be reached: {text}")
        if isinstance(cause, PermissionError) and cause.filename is None:
            return AuthenticationError(f"{name} refuses access: {text}")
        kind = _BY_STATUS.get(_status(cause))
        if kind is not None:
            return kind(f"{name} answered with status {_status(cause)}: {text}")
    return None


def is_not_found(exc: BaseException) -> bool:
    """Return whether an exception means that the vendor does not have what it was asked for.

    There is no common class for this: SDKs raise a ``LookupError``, a class whose name says it, an error with the HTTP
    status 404, or one whose text says it.
    """
    return (
        isinstance(exc, LookupError)
        or any(_status(cause) == _NOT_FOUND or "NotFound" in type(cause).__name__ for cause in cause_chain(exc))
        or _NOT_FOUND_TEXT.search(str(exc)) is not None
    )


def _status(exc: BaseException) -> int | None:
    """Return the HTTP status that an exception or its response has, or ``None``."""
    for holder in (exc, getattr(exc, "response", None)):
        for name in ("status_code", "status"):
            status = getattr(holder, name, None)
            if isinstance(status, int):
                return status
    return None
