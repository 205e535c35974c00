"""``--runtime docker|local|auto``: where simulators run, and why there."""

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
    """Where simulators run.

    Args:
        runtime: ``docker`` or ``local``.
        why: in a few words.
    """

    runtime: str
    why: str


def choose(wanted: str, names: Sequence[str]) -> Choice:
    """Return where to run: in containers if they are at hand, else here if the simulators are installed.

    Args:
        wanted: one of :data:`gateway.cli.arguments.RUNTIMES`; only ``auto`` needs a choice, which is said on
            standard error.
        names: of the simulators; an unknown one is somebody else's to refuse.
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
    lacking = [name for name in names if SIMULATORS[name].installed_version() is None]
    try:
        engine = connect()
        if find(engine, content_tag()):
            return Choice("docker", "an engine answers and has the image")
        running = {one.labels[SIMULATOR_LABEL] for one in engine.containers(SIMULATOR_LABEL) if one.running}
    except ContainerError as exc:
        return Choice("local", exc.message.partition(":")[0])
    if names and running.issuperset(names):
        return Choice("docker", "containers of all of them run")
    if lacking:
        return Choice("docker", f"{', '.join(lacking)} not installed here, and an engine answers that can build it")
    return Choice("local", "an engine answers but lacks the image, and all are installed here")


def backend(
    runtime: str, name: str, timeout_s: float | None, threads: int | None = None, memory: int | None = None
) -> Backend:
    """Return the backend of a simulator."""
    kind = DockerSimulator if runtime == "docker" else LocalSimulator
    return kind(name, timeout_s=timeout_s, threads=threads, memory=memory)
