"""Where a server is, and what it is sent and trusted with: one rule for tokens and certificates, whoever connects.

A server that is given by its URL or by its name in ``gateway config`` is sent, as its token, the first of these:

1. the argument ``token``; an empty one sends none;
2. for a name, the token that the file has under it;
3. ``GATEWAY_TOKEN``, if ``GATEWAY_URL`` is this server;
4. the token that the file has for this URL;
5. ``GATEWAY_TOKEN``, if there is no ``GATEWAY_URL``.

So a token never goes to a server that nobody named, and with ``GATEWAY_URL`` the one beside it goes nowhere else. The
same holds for the certificates in ``GATEWAY_CA``, and in the file.
"""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import NamedTuple

from gateway.backends.addresses import Address, is_address, parse_address
from gateway.backends.gateways import Gateways, KnownGateway, check_token, read_gateways
from gateway.errors import RequestError
from gateway.protocol import door

URL_VARIABLE = "GATEWAY_URL"
"""The variable with the URL, or the name, of the gateway that is used where none is named."""

TOKEN_VARIABLE = "GATEWAY_TOKEN"  # noqa: S105 - the name of a variable
"""The variable with the bearer token of that gateway, or without one, of servers that are given by their URLs."""

CA_VARIABLE = "GATEWAY_CA"
"""The variable with the path of certificates that are trusted for the same servers, in place of the system's."""


class Access(NamedTuple):
    """Where a server is, and what it is sent and trusted with.

    Args:
        address: its address.
        token: the bearer token; empty for none.
        certificates: the path of a file or folder of certificates; empty for the system's.
        name: the name of the simulator there, if a gateway gave it; otherwise empty.
    """

    address: Address
    token: str = ""
    certificates: str = ""
    name: str = ""

    def __repr__(self) -> str:
        return f"<access to {self.address.url}>"

    def to_simulator(self, name: str) -> Access:
        """Return the access to a simulator behind this gateway."""
        path = self.address.path + door.path_of(name)
        return self._replace(address=self.address._replace(path=path), name=name)


def access_to(where: str, *, token: str | None = None, certificates: str | Path | None = None) -> Access:
    """Return the access to a server.

    Args:
        where: its URL, ``HOST:PORT``, or its name in ``gateway config``.
        token: its token; by default as this module says, and empty for none.
        certificates: the path of certificates to trust; by default as this module says, and empty for the system's.

    Raises:
        RequestError: it is no address, the name is unknown, or the token or the certificates can be none.
    """
    if token is not None:
        check_token(token, "of the argument")
    if is_address(where) and token is not None and (certificates is not None or not parse_address(where).tls):
        return Access(parse_address(where), token, check_certificates(certificates or ""))
    known = read_gateways()
    entry = None if is_address(where) else known.find(where)
    address = parse_address(where) if entry is None else entry.address
    found = _found(address, entry, known)
    return Access(
        address,
        found.token if token is None else token,
        check_certificates(found.ca if certificates is None else certificates),
    )


def default_place() -> str:
    """Return what ``GATEWAY_URL`` has, or else the name of the default gateway of the file; empty without both.

    Raises:
        RequestError: the file cannot be read or trusted.
    """
    return os.environ.get(URL_VARIABLE, "").strip() or read_gateways().default


def check_certificates(path: str | Path) -> str:
    """Return the path of a file or folder of certificates, after checking that it holds some; empty stays empty.

    Raises:
        RequestError: the path does not exist, or holds no certificates.
    """
    if path == "":
        return ""
    try:
        place = Path(path)
        folder = place.is_dir()
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(
            cafile=None if folder else place, capath=place if folder else None
        )
    except (OSError, ValueError) as exc:  # ssl.SSLError is an OSError
        why = getattr(exc, "strerror", None) or exc
        raise RequestError(f"there are no certificates to trust in {path!s:.200}: {why}", field="tls") from exc
    return str(place)


def _found(address: Address, entry: KnownGateway | None, known: Gateways) -> KnownGateway:
    """Return the token and the certificates that environment and file have for an address."""
    default = os.environ.get(URL_VARIABLE, "").strip()
    variables = _variables()
    same_url = entry or _entry(address, known)
    if not default:
        sources = [same_url, variables]
    elif _address(default, known).contains(address):
        sources = [entry, variables, same_url]
    else:
        sources = [same_url]
    present = [source for source in sources if source is not None]
    return KnownGateway(
        url=address.url,
        token=next((source.token for source in present if source.token), ""),
        ca=next((source.ca for source in present if source.ca), "") if address.tls else "",
    )


def _variables() -> KnownGateway:
    token = os.environ.get(TOKEN_VARIABLE, "").strip()
    check_token(token, f"in {TOKEN_VARIABLE}")
    return KnownGateway(url="environment", token=token, ca=os.environ.get(CA_VARIABLE, "").strip())


def _address(where: str, known: Gateways) -> Address:
    return parse_address(where) if is_address(where) else known.find(where).address


def _entry(address: Address, known: Gateways) -> KnownGateway | None:
    """Return the entry of the file that has an address: of several the one with the longest path.

    Raises:
        RequestError: several have the same, and different tokens or certificates.
    """
    holders = {name: each for name, each in known.gateways.items() if each.address.contains(address)}
    longest = max((len(each.address.path) for each in holders.values()), default=0)
    nearest = {name: each for name, each in holders.items() if len(each.address.path) == longest}
    if len({(each.token, each.ca) for each in nearest.values()}) > 1:
        raise RequestError(f"{' and '.join(nearest)} have the URL {address.url}: give one of these names", field="at")
    return next(iter(nearest.values()), None)
