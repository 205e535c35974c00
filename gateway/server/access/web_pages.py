"""Keeps web pages out: a page that users happen to visit must not use the server on their machine.

A page of another site can send requests to loopback addresses; its browser then names the site in
``Origin``, or marks the request in ``Sec-Fetch-Site``. A page can also have its own name resolve to a
loopback address (DNS rebinding); ``Host`` is then neither an address nor a name of ours.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

from flask import Flask, Response, request

from gateway.errors import HostRefused, OriginRefused

_HOST = re.compile(r"(?:\[(?P<address>[^\[\]]+)\]|(?P<name>[^:\[\]]+))(?::[0-9]{1,5})?")
_METHODS = "GET, POST, DELETE"
_HEADERS = "Authorization, Content-Type, Idempotency-Key"


@dataclass(frozen=True, slots=True)
class WebGuard:
    """Refuses requests of web pages and for host names that are not let in.

    Args:
        hosts: names under which the server may be called, beside ``localhost`` and every address.
        origins: web origins (``https://example.org``) whose pages may call it; ``*`` is not one.
    """

    hosts: Collection[str] = ()
    origins: Collection[str] = ()

    def watch(self, app: Flask) -> None:
        """Check every request of an application before anything else does."""
        app.before_request(self._check)
        app.after_request(self._allow)

    def _check(self) -> Response | None:
        environ = request.environ
        host = environ.get("HTTP_HOST")
        if host is not None and not self.is_ours(host):
            raise HostRefused(
                f"this server is not called {host[:255]!r}: use its address, or start it with --allow-host", host=host
            )
        origin = environ.get("HTTP_ORIGIN")
        if origin is None:
            if environ.get("HTTP_SEC_FETCH_SITE", "none") not in {"none", "same-origin"}:
                raise OriginRefused("requests from web pages are refused", origin=None)
            return None
        if origin not in self.origins:
            raise OriginRefused(
                f"requests from web pages of {origin[:255]!r} are refused: start the server with --allow-origin",
                origin=origin,
            )
        return Response(status=204) if request.method == "OPTIONS" else None

    def is_ours(self, host: str) -> bool:
        """Say whether a ``Host`` names this server."""
        match = _HOST.fullmatch(host)
        if match is None:
            return False
        name = match["address"] or match["name"]
        if name.lower() == "localhost" or name.lower() in self.hosts:
            return True
        return _is_address(name)

    def _allow(self, response: Response) -> Response:
        origin = request.environ.get("HTTP_ORIGIN")
        if origin is not None and origin in self.origins:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Allow-Methods"] = _METHODS
            response.headers["Access-Control-Allow-Headers"] = _HEADERS
            response.headers["Access-Control-Expose-Headers"] = "Location, Retry-After"
            response.headers["Vary"] = "Origin"
        return response


@lru_cache(maxsize=64)
def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
