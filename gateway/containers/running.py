"""Finds the simulators' servers that run in containers on this machine, for whoever wants to ask them."""

from __future__ import annotations

from typing import NamedTuple

from gateway.containers.container import HOME_LABEL, Fleet
from gateway.containers.engine import Container
from gateway.containers.hardening import HOST_IP, SIMULATOR_LABEL
from gateway.simulators import SIMULATORS


class RunningServer(NamedTuple):
    """A server in a container.

    Args:
        url: its address, on the loopback interface of this machine.
        token: the token that it accepts from this user; ``None`` where it was started by others, such as compose.
    """

    url: str
    token: str | None


def running_servers(fleet: Fleet) -> dict[str, RunningServer]:
    """Return a server for each simulator that has one: of several, this user's own, and those that are to stay first.

    Raises:
        DockerUnavailable: no engine answers.
    """
    home = fleet.vault.home
    found: dict[str, tuple[int, RunningServer]] = {}
    for container in fleet.engine.containers(SIMULATOR_LABEL):
        name = container.labels[SIMULATOR_LABEL]
        port = _port(container, name)
        owner = container.labels.get(HOME_LABEL)
        if not container.running or port is None or owner not in {home, None}:  # no token is known of other users'
            continue
        entry = fleet.vault.read(container.id) if owner == home else None
        if owner == home and entry is None:
            continue
        rank = 1 if entry is None else 3 if entry.keep else 2
        server = RunningServer(f"http://{HOST_IP}:{port}", None if entry is None else entry.token)
        if rank > found.get(name, (0, server))[0]:
            found[name] = (rank, server)
    return {name: found[name][1] for name in SIMULATORS if name in found}


def _port(container: Container, simulator: str) -> int | None:
    row = SIMULATORS.get(simulator)
    return (container.ports or {}).get(row.port) if row is not None else None
