"""How often a client asks again: a few times when a connection breaks, and for a while when a server is away."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import requests

from gateway.errors import BusyError, GatewayError, TransportError, TransportTimeout

T = TypeVar("T")

PATIENCE_S = 60.0
"""How long a server may be unreachable while a client waits for its work; a restart takes a few seconds."""

_PAUSES_S = (0.05, 0.2, 1.0)
"""The pauses before a request that broke off is sent again."""

_LONGEST_PAUSE_S = 1.0

_BROKEN_CONNECTION = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)
"""The errors that requests raises when a connection breaks; the second one comes in the middle of an answer."""


def repeatedly(ask: Callable[[], T]) -> T:
    """Send a request that does no harm when it arrives twice, and send it again if the connection breaks."""
    for pause_s in _PAUSES_S:
        try:
            return ask()
        except TransportTimeout:
            raise
        except TransportError as exc:
            cause = exc.__cause__
            if isinstance(cause, requests.exceptions.SSLError) or not isinstance(cause, _BROKEN_CONNECTION):
                raise
        time.sleep(pause_s)
    return ask()


def patiently(
    ask: Callable[[], T],
    patience_s: float = PATIENCE_S,
    on_unreachable: Callable[[TransportError], GatewayError | None] = lambda _: None,
) -> T:
    """Ask a server, and ask again if it is unreachable or stopping.

    Args:
        ask: sends a request that does no harm when it arrives twice.
        patience_s: the seconds after which the error is raised.
        on_unreachable: a function that is called with each failure to reach the server. It returns the error to raise
            at once, or ``None`` to try again.
    """
    deadline = time.monotonic() + patience_s
    pause_s = 0.05
    while True:
        try:
            return ask()
        except (TransportError, BusyError) as exc:
            if exc.circuit is not None:  # the problem of a circuit, which does not pass
                raise
            error = on_unreachable(exc) if isinstance(exc, TransportError) else None
            if error is not None:
                raise error from exc
            if time.monotonic() >= deadline:
                raise
        time.sleep(min(pause_s, max(0.0, deadline - time.monotonic())))
        pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
