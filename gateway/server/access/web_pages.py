"""Keeps web pages out: a page that users happen to visit must not use the server on their machine.

A page of another site can send requests to loopback addresses; its browser then names the site in
``Origin``, or marks the request in ``Sec-Fetch-Site``. A page can also have its own name resolve to a
loopback address (DNS rebinding); ``Host`` is then neither an address nor a name of ours.

People may follow a link from anywhere to a page that the server has for them: their browser then shows that page in a
window of its own, and the site they come from learns nothing of it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache

from flask import Flask, Response, request

from gateway.errors import HostRefused, OriginRefused
from gateway.protocol.endpoints import PAGES

_HOST = re.compile(r"(?:\[(?P<address>[^\[\]]+)\]|(?P<name>[^:\[\]]+))(?::[0-9]{1,5})?")
_METHODS = "GET, POST, DELETE"
_HEADERS = "Authorization, Content-Type, Idempotency-Key"


@dataclass(frozen=True, slots=True)
class WebGuard:
    """Refuses requests of web pages and for host names that are not let in.

    Args:
        hosts: names under which the server may be called, beside ``localhost`` and every address.
        origins: web origins (``https://example.org``) whose pages may call it; ``*`` is not one.
        pages: paths to which links of any site may lead.
        own_pages: whether its own pages send requests to it.
    """

    hosts: Collection[str] = ()
    origins: Collection[str] = ()
    pages: Collection[str] = PAGES
    own_pages: bool = False

    def watch(self, app: Flask) -> None:
        """Check every request of an application before anything else does."""
        app.before_request(self._before)
        app.after_request(self._after)

    def check(self, environ: Mapping[str, str]) -> None:
        """Refuse a request that is not let in.

        Args:
            environ: its method, path and headers by their names in WSGI.

        Raises:
            HostRefused: it calls the server by another's name.
            OriginRefused: a web page sent it that is not let in.
        """
        host = environ.get("HTTP_HOST")
        if host is not None and not self.is_ours(host):
            raise HostRefused(
                f"this server is not called {host[:255]!r}: use its address, or start it with --allow-host", host=host
            )
        origin = environ.get("HTTP_ORIGIN")
        site = environ.get("HTTP_SEC_FETCH_SITE", "none")
        if origin is None:
            if site not in {"none", "same-origin"} and not self._follows_link(environ):
                raise OriginRefused("requests from web pages are refused", origin=None)
        elif origin not in self.origins and not (self._is_own(origin, host) and site in {"none", "same-origin"}):
            raise OriginRefused(
                f"requests from web pages of {origin[:255]!r} are refused: start the server with --allow-origin",
                origin=origin,
            )

    def allowance(self, origin: str | None) -> dict[str, str]:
        """Return the headers that let the page of an origin read an answer, none where it may not.

        Such an answer also has ``Vary: Origin``, for caches.
        """
        if origin is None or origin not in self.origins:
            return {}
        return {
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Allow-Methods": _METHODS,
            "Access-Control-Allow-Headers": _HEADERS,
            "Access-Control-Expose-Headers": "Location, Retry-After",
        }

    def _before(self) -> Response | None:
        self.check(request.environ)
        is_preflight = request.method == "OPTIONS" and "HTTP_ORIGIN" in request.environ
        return Response(status=204) if is_preflight else None

    def _after(self, response: Response) -> Response:
        allowance = self.allowance(request.environ.get("HTTP_ORIGIN"))
        if allowance:
            response.headers.update(allowance)
            response.vary.add("Origin")
        return response

    def _follows_link(self, environ: Mapping[str, str]) -> bool:
        """Say whether a browser asks for a page in order to show it in a window, not in a frame of another page."""
        return (
            environ["REQUEST_METHOD"] in {"GET", "HEAD"}
            and environ["PATH_INFO"] in self.pages
            and environ.get("HTTP_SEC_FETCH_MODE") == "navigate"
            and environ.get("HTTP_SEC_FETCH_DEST") == "document"
        )

    def _is_own(self, origin: str, host: str | None) -> bool:
        """Say whether a page was sent by this server: its origin has the name by which the server was called.

        The scheme may be another one, since a proxy in front may speak TLS.
        """
        scheme, _, name = origin.partition("://")
        return self.own_pages and scheme in {"http", "https"} and host is not None and name.lower() == host.lower()

    def is_ours(self, host: str) -> bool:
        """Say whether a ``Host`` names this server."""
        match = _HOST.fullmatch(host)
        if match is None:
            return False
        name = (match["address"] or match["name"]).lower()
        return name == "localhost" or name in map(str.lower, self.hosts) or _is_address(name)


@lru_cache(maxsize=64)
def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
