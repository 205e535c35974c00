"""The command ``gateway open``: opens the door, and starts the simulators that are installed and do not run."""

from __future__ import annotations

import argparse
import gc
import os
import re
import socket
import sys
from collections.abc import Sequence
from contextlib import closing
from typing import NamedTuple

import msgspec

from gateway.backends.access import Access
from gateway.backends.addresses import Address, parse_address
from gateway.backends.transport import Transport
from gateway.cli import settings as sources
from gateway.cli.arguments import UsageError
from gateway.cli.supervisor import Child, Supervisor
from gateway.cli.tls import check_certificate
from gateway.errors import AuthenticationError, ContainerError, GatewayError, RequestError, ServerStartError
from gateway.listener import bind
from gateway.protocol import endpoints
from gateway.protocol.messages import BackendInfo
from gateway.settings import DoorSettings, Settings, Trust
from gateway.simulators import SIMULATORS, Simulator, check_installed, find, offers
from gateway.version import PROTOCOL

DOOR_PORT = 8080

_LOOPBACK = "127.0.0.1"
_CONNECTS_WITHIN_S = 1.0
_ANSWERS_WITHIN_S = 5.0
"""Another program may have a simulator's port, and never say anything."""

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class Place(NamedTuple):
    """A simulator behind the door.

    Args:
        name: its name.
        url: the base URL of its server.
        token: the token that its server wants from the door; ``None`` for none of its own.
        trust: what the door tells its server.
        listener: the socket of a server that is still to be started.
    """

    name: str
    url: str
    token: str | None = None
    trust: Trust = Trust.NONE
    listener: socket.socket | None = None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``gateway open``."""
    parser.epilog = sources.PRECEDENCE
    parser.add_argument(
        "names", metavar="NAME", nargs="*", help=f"of {', '.join(SIMULATORS)}; default: all that run or are installed"
    )
    sources.add_options(parser, DoorSettings)


def command(arguments: argparse.Namespace) -> int:
    """Serve until a signal ends the process."""
    settings = sources.load(arguments, DoorSettings)
    if arguments.settings != sources.STANDARD_INPUT:
        sources.warn_of_unknown_variables(os.environ)
    settings = _with_files(settings)
    sources.check_tokens(settings)
    check_certificate(settings.tls_cert, settings.tls_key)
    port = DOOR_PORT if settings.port is None else settings.port
    listener = bind(settings.host, port) if settings.listen_fd is None else socket.socket(fileno=settings.listen_fd)
    found = places(settings)
    if any(place.listener is not None for place in found):
        return _supervise(settings, listener, found)
    _serve(settings, listener, found)
    return 0


def _with_files(settings: DoorSettings) -> DoorSettings:
    """Return the settings with the files that they do not name: of comparisons, and of the key."""
    comparisons, key = settings.comparisons, settings.door_key_file
    if settings.port != 0:
        port = settings.port or DOOR_PORT
        comparisons = comparisons or str(sources.state_folder() / f"comparisons-{port}.sqlite")
    if settings.start and key is None:
        key = str(sources.state_folder() / "door.key")
    return msgspec.structs.replace(settings, comparisons=comparisons, door_key_file=key)


# ---------------------------------------------------------------------- where simulators are


def places(settings: DoorSettings) -> list[Place]:
    """Return where each simulator is or will be, in the order of the registry.

    Raises:
        UsageError: an address is malformed, or there is no simulator of a name.
        SimulatorNotInstalled: a simulator was named that neither runs nor can be started.
    """
    given = _given(settings.addresses)
    named = [_row(name) for name in settings.simulators]
    _refuse_duplicates([*given, *(row.name for row in named)])
    found = {
        name: Place(name, address.url, settings.address_tokens.get(name), trust_of(settings, name, address))
        for name, address in given.items()
    }
    if settings.start:
        rows = named or [row for row in _known_rows() if row.name not in given]
        containers = _containers()
        for row in rows:
            place = containers.get(row.name) or running(row) or _startable(row, is_wanted=bool(named))
            if place is not None:
                found[row.name] = place
    elif named:
        found |= {row.name: Place(row.name, f"http://{_LOOPBACK}:{row.port}", trust=Trust.LOCAL) for row in named}
    if not found:
        raise ServerStartError(
            "there is no simulator: pip install 'simulator-gateway[all]', or give --simulator NAME=URL of one that runs"
        )
    order = list(SIMULATORS)
    return sorted(found.values(), key=lambda place: order.index(place.name) if place.name in order else len(order))


def trust_of(settings: DoorSettings, name: str, address: Address) -> Trust:
    """Return what a simulator that was given by its address is told: with a key come those that shall know it."""
    known = settings.trust.get(name)
    if known is not None:
        return known
    if settings.door_key_file is not None and not settings.start:
        return Trust.OWN
    return Trust.LOCAL if address.is_loopback else Trust.NONE


def _given(addresses: Sequence[str]) -> dict[str, Address]:
    """Return name -> address.

    Raises:
        UsageError: an address is malformed.
    """
    given: dict[str, Address] = {}
    for text in addresses:
        name, equals, url = text.partition("=")
        if not equals or not _NAME.fullmatch(name):
            raise UsageError(f"--simulator is written NAME=URL, such as qulacs=http://lab:8088, not {text!r:.200}")
        if name in given:
            raise UsageError(f"{name} is given twice: each simulator needs a name of its own")
        try:
            given[name] = parse_address(url)
        except RequestError as exc:
            raise UsageError(f"--simulator {name}: {exc.message}") from exc
    return given


def _refuse_duplicates(names: Sequence[str]) -> None:
    duplicate = next((name for position, name in enumerate(names) if name in names[:position]), None)
    if duplicate is not None:
        raise UsageError(f"{duplicate} is named twice: once is enough")


def _row(name: str) -> Simulator:
    try:
        return find(name)
    except RequestError as exc:
        raise UsageError(exc.message) from exc


def _known_rows() -> list[Simulator]:
    return [*SIMULATORS.values(), *(offer.row for offer in offers() if offer.row is not None)]


def _containers() -> dict[str, Place]:
    """Return the simulators that run in containers of this machine; none where no engine answers."""
    try:
        from gateway.containers.doctor import fleet
        from gateway.containers.running import running_servers

        return {name: Place(name, server.url, server.token) for name, server in running_servers(fleet()).items()}
    except (ContainerError, ImportError):
        return {}


def running(row: Simulator) -> Place | None:
    """Return the place of a simulator whose server answers on its own port."""
    try:
        socket.create_connection((_LOOPBACK, row.port), _CONNECTS_WITHIN_S).close()
        with closing(Transport(Access(Address(_LOOPBACK, row.port, tls=False)))) as transport:
            info = transport.call(BackendInfo, endpoints.BACKEND, _ANSWERS_WITHIN_S)
        is_there = (info.name, info.protocol) == (row.name, PROTOCOL)
    except AuthenticationError:
        is_there = True  # its callers send their own tokens
    except (GatewayError, OSError):
        is_there = False
    return Place(row.name, f"http://{_LOOPBACK}:{row.port}") if is_there else None


def _startable(row: Simulator, *, is_wanted: bool) -> Place | None:
    """Return the place of a simulator that can be started, on its own port if that is free.

    Raises:
        SimulatorNotInstalled: it cannot, and was asked for.
    """
    if not row.installed_version():
        if is_wanted:
            check_installed(row)
        return None
    try:
        listener = bind(_LOOPBACK, row.port)
    except ServerStartError:
        listener = bind(_LOOPBACK, 0)
    return Place(row.name, f"http://{_LOOPBACK}:{listener.getsockname()[1]}", trust=Trust.OWN, listener=listener)


# ---------------------------------------------------------------------- serving


def _serve(settings: DoorSettings, listener: socket.socket, places: Sequence[Place]) -> None:
    gc.disable()  # for a quicker start: importing modules creates no garbage
    try:
        from gateway.door.directory import Entry
        from gateway.door.host import serve
    except ImportError as exc:
        raise ServerStartError(f"serving needs {exc.name!r}: pip install 'simulator-gateway[server]'") from exc

    entries = [Entry(name=place.name, url=place.url, token=place.token, trust=place.trust) for place in places]
    scheme = "http" if settings.tls_cert is None else "https"
    address = f"{scheme}://{settings.host}:{listener.getsockname()[1]}"
    names = ", ".join(place.name for place in places)
    lines = () if settings.quiet else (f"the door is open at {address}, with {names} behind it (Ctrl-C closes it)",)
    serve(listener, settings, entries, lines)


def _supervise(settings: DoorSettings, listener: socket.socket, places: Sequence[Place]) -> int:
    """Run the door and the simulators that are started, each in a process of its own, until a signal comes."""
    own = msgspec.to_builtins(settings)
    shared = {name: own[name] for name in ("tokens", "tokens_file", "door_key_file", "durable", "drain_s")}
    children = [
        Child(
            place.name,
            [find(place.name).python(), "-m", "gateway", "serve", place.name, "--settings", "-"],
            {**shared, "quiet": True, "listen_fd": place.listener.fileno(), **_port_and_jobs(settings, place)},
            place.listener,
        )
        for place in places
        if place.listener is not None
    ]
    if len(children) > 1:
        sources.refuse_one_file(Settings(jobs=os.environ.get("GATEWAY_JOBS") or None))
    door = own | {
        "start": False,
        "simulators": [],
        "addresses": [f"{place.name}={place.url}" for place in places],
        "trust": {place.name: place.trust for place in places},
        "address_tokens": {place.name: place.token for place in places if place.token is not None},
        "listen_fd": listener.fileno(),
    }
    children.append(Child("the door", [sys.executable, "-m", "gateway", "open", "--settings", "-"], door, listener))
    return Supervisor(children, settings.drain_s).run()


def _port_and_jobs(settings: DoorSettings, place: Place) -> dict[str, object]:
    """Return the port of a simulator that is started, and where its jobs are if the port is another the next time."""
    port = 0 if place.listener is None else place.listener.getsockname()[1]
    if port == find(place.name).port or settings.port == 0:
        return {"port": port}
    jobs = sources.state_folder() / f"jobs-{place.name}-behind-{settings.port or DOOR_PORT}.sqlite"
    return {"port": port, "jobs": str(jobs)}
