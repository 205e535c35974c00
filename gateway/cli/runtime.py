"""Decides whether simulators run in containers or in local processes (``--runtime docker|local|auto``)."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.backends.base import Backend
from gateway.backends.docker import DockerSimulator
from gateway.backends.local import LocalSimulator
from gateway.containers.engine import connect
from gateway.containers.hardening import SIMULATOR_LABEL
from gateway.containers.image import content_tag, find
from gateway.errors import ContainerError
from gateway.simulators import SIMULATORS, offers


@dataclass(frozen=True, slots=True)
class Choice:
    """The decision where simulators run.

    Args:
        runtime: ``docker`` or ``local``.
        why: the reason in a few words.
    """

    runtime: str
    why: str


def choose(wanted: str, names: Sequence[str]) -> Choice:
    """Decide where simulators run; for ``auto``, print the decision and its reason on standard error.

    ``auto`` chooses containers if the engine has the image, or runs containers of all the simulators already. Otherwise
    it chooses local processes, unless an engine could build the image and a simulator is not installed here.

    Args:
        wanted: one of :data:`gateway.cli.arguments.RUNTIMES`.
        names: the names of the simulators; unknown names are refused later, by the backend.
    """
    if wanted != "auto":
        return Choice(wanted, "asked for")
    ours = [name for name in names if name in SIMULATORS]
    foreign = [offer.name for name in names if name not in SIMULATORS for offer in offers(name)]
    choice = Choice("local", f"the image does not hold {', '.join(foreign)}") if foreign else _choose(ours)
    print(f"gateway: running in {_PLACES[choice.runtime]}: {choice.why} (--runtime decides)", file=sys.stderr)
    return choice


_PLACES = {"docker": "Docker containers", "local": "processes of this machine"}


def _choose(names: Sequence[str]) -> Choice:
    missing = [name for name in names if SIMULATORS[name].installed_version() is None]
    try:
        engine = connect()
        if find(engine, content_tag()):
            return Choice("docker", "an engine answers and has the image")
        running = {
            container.labels[SIMULATOR_LABEL] for container in engine.containers(SIMULATOR_LABEL) if container.running
        }
    except ContainerError as exc:
        return Choice("local", exc.message.partition(":")[0])
    if names and running.issuperset(names):
        return Choice("docker", "containers of all of them run")
    if missing:
        return Choice("docker", f"{', '.join(missing)} not installed here, and an engine answers that can build it")
    return Choice("local", "an engine answers but lacks the image, and all are installed here")


def backend(
    runtime: str, name: str, timeout_s: float | None, threads: int | None = None, memory: int | None = None
) -> Backend:
    """Return a backend that runs a simulator in this runtime."""
    kind = DockerSimulator if runtime == "docker" else LocalSimulator
    return kind(name, timeout_s=timeout_s, threads=threads, memory=memory)
