"""The addresses of servers as people write them: ``http://lab:8088``, ``https://[::1]/a/path``, ``lab:8088``."""

from __future__ import annotations

import ipaddress
import re
from typing import NamedTuple
from urllib.parse import urlsplit

from gateway.errors import RequestError
from gateway.protocol import door, endpoints

_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[^\s/?#@\[\]\\<>\"'%]+")
_PATH = re.compile(r"(/(?!\.{1,2}(/|$))[\w.~!$&'()*+;=:@%-]+)*", re.ASCII)
_SECRET = re.compile(r"(?<=://).*(?=@)|^[^/]*(?=@)|(?<=[?#]).+", re.DOTALL)
"""What may be a name and a password before a host, or a token after the path."""

_HOW = "write http://HOST:PORT or https://HOST:PORT, and the path under which a proxy has it, if one does"

_REQUESTS = sorted(
    {row.path for row in (*endpoints.ENDPOINTS.values(), *door.ENDPOINTS.values()) if "{" not in row.path} | {"/v1"},
    key=len,
    reverse=True,
)
"""The paths of requests, which people copy from the line of a browser; the address of the server ends before them."""


class Address(NamedTuple):
    """The address of a server.

    Args:
        host: its name, or its IPv4 or IPv6 address without brackets.
        port: its port.
        tls: whether it speaks HTTPS.
        path: the path before that of every request, as behind a reverse proxy; empty, or with a slash at its beginning
            and none at its end.
    """

    host: str
    port: int
    tls: bool
    path: str = ""

    def __str__(self) -> str:
        return f"{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}{self.path}"

    @property
    def url(self) -> str:
        """The URL, always with its port."""
        return f"{'https' if self.tls else 'http'}://{self}"

    @property
    def is_loopback(self) -> bool:
        """Whether the server is on this machine, so that nothing stands between."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    def contains(self, other: Address) -> bool:
        """Return whether another address is this one, or one below it on the same server."""
        is_below = f"{other.path}/".startswith(f"{self.path}/")
        return is_below and (self.host, self.port, self.tls) == (other.host, other.port, other.tls)


def is_address(text: str) -> bool:
    """Return whether a text is meant as an address and not as a name: it has a colon."""
    return ":" in text


def parse_address(text: str) -> Address:
    """Return the address that a text gives; without a scheme, ``HOST:PORT`` is HTTP.

    Raises:
        RequestError: the text is no address, or has parts that a server's address has not.
    """
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        port = parts.port
    except ValueError as exc:  # brackets that do not match, or a port that is none
        why = str(exc) if "@" not in text else "a URL holds no name or password"  # which the reason may quote
        raise _refused(text, why) from None if "@" in text else exc
    if parts.scheme not in _PORTS:
        raise _refused(text, f"servers speak http or https, not {parts.scheme}")
    if parts.username is not None or parts.password is not None:
        raise RequestError("a URL holds no name or password: GATEWAY_TOKEN is the token", field="backends")
    if parts.query or parts.fragment or text.endswith(("?", "#")):
        raise _refused(text, "nothing follows the path")
    if not _HOST.fullmatch(parts.hostname or "") or port == 0 or (port is None and "://" not in text):
        raise _refused(text, "a host or a port is missing")
    path = _path(text, parts.path.rstrip("/"))
    return Address(str(parts.hostname), _PORTS[parts.scheme] if port is None else port, parts.scheme == "https", path)


def _path(text: str, path: str) -> str:
    """Return a path after checking that it is one.

    Raises:
        RequestError: it is none, or that of a request.
    """
    if not _PATH.fullmatch(path):
        raise _refused(text, "its path has parts that are empty, dots alone, or hold other characters than a URL may")
    request = next((end for end in _REQUESTS if f"{path}/".endswith(f"{end}/") and end != "/"), None)
    if request is not None:
        raise _refused(text, f"it is that of a request: leave out {request}")
    return path


def _refused(text: str, why: str) -> RequestError:
    """Return the error, whose message holds no name, password or token that may stand in the text."""
    text = _SECRET.sub("...", text)
    return RequestError(f"{text[:200]!r} is no address of a server ({why}): {_HOW}", field="backends")
