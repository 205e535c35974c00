"""Decides whether simulators run in containers or in processes of this machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.backends.docker import DockerSimulator
from gateway.backends.local import LocalSimulator
from gateway.containers.engine import connect
from gateway.containers.hardening import SIMULATOR_LABEL
from gateway.containers.image import content_tag, find
from gateway.errors import ContainerError, RequestError
from gateway.simulators import SIMULATORS, offers

RUNTIMES = ("auto", "docker", "local")


@dataclass(frozen=True, slots=True)
class Choice:
    """The decision where simulators run.

    Args:
        runtime: ``docker`` or ``local``.
        why: the reason in a few words.
    """

    runtime: str
    why: str

    def simulator(
        self, name: str, *, timeout_s: float | None = None, threads: int | None = None, memory: str | int | None = None
    ) -> DockerSimulator | LocalSimulator:
        """Return a simulator that runs there; nothing is started before it is used."""
        kind = DockerSimulator if self.runtime == "docker" else LocalSimulator
        return kind(name, timeout_s=timeout_s, threads=threads, memory=memory)


def choose(wanted: str, names: Sequence[str]) -> Choice:
    """Decide where simulators run.

    ``auto`` chooses containers if the engine has the image, or runs containers of all the simulators already. Otherwise
    it chooses local processes, unless an engine could build the image and a simulator is not installed here.

    Args:
        wanted: one of :data:`RUNTIMES`.
        names: the names of the simulators; unknown names are refused later, by the backend.

    Raises:
        RequestError: ``wanted`` is no runtime.
    """
    if wanted not in RUNTIMES:
        raise RequestError(f"a runtime is one of {', '.join(RUNTIMES)}, not {wanted!r:.100}", field="runtime")
    if wanted != "auto":
        return Choice(wanted, "asked for")
    foreign = [offer.name for name in names if name not in SIMULATORS for offer in offers(name)]
    if foreign:
        return Choice("local", f"the image does not hold {', '.join(foreign)}")
    return _choose([name for name in names if name in SIMULATORS])


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
