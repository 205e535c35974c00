"""What ``--on`` and ``--at`` name: simulators that start here, servers that run, and simulators behind a gateway.

``--on`` alone names simulators that start here. With one ``--at``, of a gateway, it names simulators behind that.
With neither, a command goes to the gateway of ``GATEWAY_URL``, or else to the default of ``gateway config``, and says
so; where there is none, or ``--runtime``, ``--threads`` or ``--memory`` is given, simulators start here.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence

from gateway.backends.access import URL_VARIABLE, Access, access_to, default_place
from gateway.backends.addresses import is_address
from gateway.backends.directory import is_gateway, simulators_behind
from gateway.cli.arguments import UsageError
from gateway.cli.complaints import remark
from gateway.errors import SimulatorNotFound, TransportError
from gateway.protocol.refusals import named_choices

Places = list[str | Access]
"""Names of simulators that start here, and ways to servers, gateways, and simulators behind them."""


def named(arguments: argparse.Namespace) -> Places:
    """Return what a command names; nothing where it is to choose itself.

    Raises:
        UsageError: ``--on`` and ``--at`` do not fit together.
        RequestError, SimulatorNotFound: a name is unknown, or an address is malformed.
        TransportError: a gateway that is given by its name cannot be reached, and what ``--on`` means depends on it.
    """
    on, at = parts(arguments.on), parts(arguments.at)
    ways = [access_to(place) for place in at]
    names = [name for name in on if not is_address(name)]
    gateways = [way for place, way in zip(at, ways, strict=True) if names and _is_gateway(place, way)]
    if not gateways:
        return [*on, *ways]
    if len(ways) > 1:
        raise UsageError(
            "--on names simulators behind the gateway of --at: give one --at, or the URLs of simulators "
            f"such as {gateways[0].to_simulator(names[0]).address.url}",
            program="gateway",
        )
    return [*(name for name in on if is_address(name)), *behind(gateways[0], names)]


def gateway_of(arguments: argparse.Namespace) -> str | None:
    """Return the URL or the name of the gateway that a command is about as a whole; ``None`` for anything else.

    Raises:
        TransportError: it is given by its name, and cannot be reached.
    """
    at = parts(arguments.at)
    if len(at) != 1 or any(is_address(name) for name in parts(arguments.on)):
        return None
    return at[0] if _is_gateway(at[0], access_to(at[0])) else None


def use_default(arguments: argparse.Namespace) -> None:
    """Let a command that names nothing go to the gateway that is used then, if there is one, and say so."""
    is_here = arguments.runtime != "auto" or arguments.threads is not None or arguments.memory is not None
    if arguments.on or arguments.at or is_here:
        return
    place = default_place()
    if place:
        source = URL_VARIABLE if os.environ.get(URL_VARIABLE, "").strip() else "gateway config"
        remark(f"at the gateway {place}: {source} names it (--on and --runtime start simulators here)")
        arguments.at = [place]


def behind(gateway: Access, names: Sequence[str]) -> Places:
    """Return the ways to simulators behind a gateway.

    Raises:
        SimulatorNotFound: there is none of a name.
    """
    found = simulators_behind(gateway)
    known = [] if found is None else [each.name for each in found.simulators]
    for name in names:
        if name not in known:
            raise SimulatorNotFound(
                f"{gateway.address.url} has no simulator {name!r:.100}: {named_choices(name, known)}", simulator=name
            )
    return [gateway.to_simulator(name) for name in names]


def only_one_behind(gateway: Access) -> Access:
    """Return the way to the only simulator behind a gateway.

    Raises:
        UsageError: there is none, or there are several.
    """
    found = simulators_behind(gateway)
    names = [] if found is None else [each.name for each in found.simulators]
    if len(names) != 1:
        known = ", ".join(names) or "none"
        raise UsageError(
            f"--on names the simulator behind {gateway.address.url}; it has {known}", program="gateway run"
        )
    return gateway.to_simulator(names[0])


def parts(given: str | Sequence[str] | None) -> list[str]:
    """Return what is separated by commas in some texts."""
    texts = [given] if isinstance(given, str) else given or []
    return [part.strip() for text in texts for part in text.split(",") if part.strip()]


def _is_gateway(place: str, way: Access) -> bool:
    """Return whether a gateway answers; a server that is given by its URL and does not answer counts as none.

    Raises:
        TransportError: there is a name, which is a gateway's most likely, and nobody answers.
    """
    try:
        return is_gateway(way)
    except TransportError:
        if is_address(place):
            return False
        raise
