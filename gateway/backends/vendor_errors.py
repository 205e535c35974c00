"""What an error of a vendor's SDK is about, whichever SDK it is: the network, the permission, or something not found.

SDKs wrap what happened in classes of their own, so the whole chain of causes is looked at.
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
"""HTTP status of a vendor's answer -> our class."""

_TIMEOUTS = (TimeoutError, requests.Timeout)
_NETWORK = (ConnectionError, requests.ConnectionError, socket.gaierror, ssl.SSLError)
_WORDS = re.compile(r"not found|not exist|no such|no job|unknown job|(could ?n.t|could not|cannot) find", re.IGNORECASE)


def chain(exc: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception and what caused it."""
    seen: set[int] = set()
    while exc is not None and id(exc) not in seen:
        seen.add(id(exc))
        yield exc
        exc = exc.__cause__ or exc.__context__


def on_the_way(exc: BaseException, name: str) -> GatewayError | None:
    """Return our error for what went wrong between us and a vendor; ``None`` if it went wrong at the vendor's.

    Args:
        exc: what the SDK raised.
        name: of the backend, for the message.
    """
    for cause in chain(exc):
        words = f"{exc}" if cause is exc else f"{exc} ({cause})"
        if isinstance(cause, _TIMEOUTS):
            return TransportTimeout(f"{name} did not answer in time: {words}")
        if isinstance(cause, _NETWORK):
            return TransportError(f"{name} cannot be reached: {words}")
        if isinstance(cause, PermissionError) and cause.filename is None:
            return AuthenticationError(f"{name} refuses access: {words}")
        kind = _BY_STATUS.get(_status(cause))
        if kind is not None:
            return kind(f"{name} answered with status {_status(cause)}: {words}")
    return None


def is_not_found(exc: BaseException) -> bool:
    """Say whether a vendor said that it has no such thing.

    There is no common class for it: providers raise a ``LookupError``, a class named so, an HTTP status or a text.
    """
    return (
        isinstance(exc, LookupError)
        or any(_status(cause) == _NOT_FOUND or "NotFound" in type(cause).__name__ for cause in chain(exc))
        or _WORDS.search(str(exc)) is not None
    )


def _status(exc: BaseException) -> int | None:
    """Return the HTTP status that an exception carries, itself or in its response."""
    for holder in (exc, getattr(exc, "response", None)):
        for name in ("status_code", "status"):
            status = getattr(holder, name, None)
            if isinstance(status, int):
                return status
    return None
