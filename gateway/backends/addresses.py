"""The addresses of servers as people write them: ``http://lab:8088``, ``https://[::1]:443``, ``lab:8088``."""

from __future__ import annotations

import os
import re
from typing import NamedTuple
from urllib.parse import urlsplit

from gateway.backends.client import BackendClient
from gateway.errors import RequestError

TOKEN_VARIABLE = "GATEWAY_TOKEN"  # noqa: S105 - the name of a variable
"""The variable with the bearer token that is sent to servers given by their addresses."""

_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[^\s/?#@\[\]\\<>\"'%]+")
_HOW = "write http://HOST:PORT or https://HOST:PORT"


class Address(NamedTuple):
    """The address of a server.

    Args:
        host: its name, or its IPv4 or IPv6 address without brackets.
        port: its port.
        tls: whether it speaks HTTPS.
    """

    host: str
    port: int
    tls: bool

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def client(self, *, timeout_s: float | None = None) -> BackendClient:
        """Return a client of the server, with the token of the environment.

        Raises:
            RequestError: the token of the environment cannot be sent.
        """
        return BackendClient(self.host, self.port, token=_token(), tls=self.tls, timeout_s=timeout_s)


def is_address(text: str) -> bool:
    """Return whether a text is meant as an address and not as the name of a simulator: it has a colon."""
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
        raise _refused(text, str(exc)) from exc
    if parts.scheme not in _PORTS:
        raise _refused(text, f"servers speak http or https, not {parts.scheme}")
    if parts.username is not None or parts.password is not None:
        raise RequestError(f"a URL holds no name or password: {TOKEN_VARIABLE} is the token", field="backends")
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise _refused(text, "nothing follows the port")
    if not _HOST.fullmatch(parts.hostname or "") or port == 0 or (port is None and "://" not in text):
        raise _refused(text, "a host or a port is missing")
    return Address(str(parts.hostname), _PORTS[parts.scheme] if port is None else port, parts.scheme == "https")


def _refused(text: str, why: str) -> RequestError:
    return RequestError(f"{text[:200]!r} is no address of a server ({why}): {_HOW}", field="backends")


def _token() -> str | None:
    """Return the token of the environment.

    Raises:
        RequestError: no header can hold it; the message does not quote it.
    """
    token = os.environ.get(TOKEN_VARIABLE, "").strip()
    if not (token.isascii() and token.isprintable()):
        raise RequestError(f"the token in {TOKEN_VARIABLE} has characters that no header can hold", field="token")
    return token or None
