"""What may stand between a user and a container, one finding at a time, each with the way out.

Every check is a function of facts, so that each can be tested without an engine; :func:`examine`
gathers the facts.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from gateway.containers.container import Fleet
from gateway.containers.engine import About, Container, Engine, Image, connect
from gateway.containers.hardening import CONTENT_LABEL, HOST_IP, IMAGE, SIMULATOR_LABEL, ContainerLimits
from gateway.containers.image import content_tag, find
from gateway.containers.ports import free, holder
from gateway.containers.readiness import ended, size
from gateway.containers.tokens import Vault
from gateway.errors import ContainerError, DockerUnavailable
from gateway.simulators import SIMULATORS, Simulator

BUILD_BYTES = 3 * 10**9
"""Free space a build needs."""

RUN_BYTES = 2 * 10**8
"""Free space running containers need."""

_UNITS = {"b": 1, "k": 2**10, "m": 2**20, "g": 2**30}


class Verdict(StrEnum):
    """How a check ended."""

    FINE = "fine"
    PROBLEM = "problem"
    NOTE = "note"
    """Nothing wrong, but worth knowing."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found.

    Args:
        check: what was looked at.
        verdict: how it ended.
        what: in one line.
        remedy: what to do about a problem.
    """

    check: str
    verdict: Verdict
    what: str
    remedy: str = ""


def check_engine(about: About | None, error: DockerUnavailable | None, *, remote: bool = False) -> Finding:
    """Whether an engine answers, and if not, what keeps it."""
    if error is not None or about is None:
        what, _, remedy = (error.message if error else "no engine").rpartition(": ")
        return Finding("engine", Verdict.PROBLEM, what, remedy)
    if remote:
        return Finding(
            "engine",
            Verdict.PROBLEM,
            "it runs on another machine, and containers listen on that machine's loopback interface only",
            "run gateway on that machine, or unset DOCKER_HOST and docker context use default",
        )
    return Finding("engine", Verdict.FINE, f"Docker {about.version}, {about.architecture}, {about.cpus} processors")


def check_image(image: Image | None, others: int, content: str) -> Finding:
    """Whether the image of this very version is there."""
    if image is not None:
        return Finding("image", Verdict.FINE, f"{IMAGE}:{content}, {image.size_bytes / 1e6:.0f} MB")
    older = f"; {others} of other versions are" if others else ""
    return Finding("image", Verdict.PROBLEM, f"{IMAGE}:{content} is not there{older}", "gateway build")


def check_architecture(image: Image | None, about: About) -> Finding:
    """Whether image and engine are for the same processor."""
    if image is None or image.architecture == about.architecture:
        return Finding("architecture", Verdict.FINE, about.architecture)
    return Finding(
        "architecture",
        Verdict.PROBLEM,
        f"the image is for {image.architecture}, this engine for {about.architecture}: it would not start, or crawl",
        f"docker image rm -f {image.tags[0] if image.tags else image.id}, then gateway build",
    )


def check_disk(free_bytes: int | None, *, image_present: bool) -> Finding:
    """Whether there is space to build, or to run."""
    if free_bytes is None:
        return Finding("disk", Verdict.NOTE, "the engine's disk cannot be seen from here", "docker system df shows it")
    needed = RUN_BYTES if image_present else BUILD_BYTES
    what = f"{free_bytes / 1e9:.1f} GB free where Docker stores images"
    if free_bytes >= needed:
        return Finding("disk", Verdict.FINE, what)
    purpose = "running" if image_present else "building the image"
    return Finding(
        "disk",
        Verdict.PROBLEM,
        f"{what}; {purpose} needs {needed / 1e9:.1f} GB",
        "docker system prune frees what nobody uses",
    )


def check_memory(memory_bytes: int, limit: str) -> Finding:
    """Whether the machine has what one container may use."""
    wanted = int(limit[:-1]) * _UNITS[limit[-1].lower()]
    what = f"the engine's machine has {size(memory_bytes)}, one container may use {size(wanted)}"
    if memory_bytes >= wanted:
        return Finding("memory", Verdict.FINE, what)
    return Finding(
        "memory",
        Verdict.PROBLEM,
        what,
        f"give Docker more (Docker Desktop: Settings, Resources), or containers less: "
        f"DockerSimulator(NAME, memory='{max(memory_bytes * 3 // 4 // 2**20, 1)}m'), gateway up --memory",
    )


def check_port(row: Simulator, taken_by: str | None, *, ours: bool, is_free: bool) -> Finding:
    """Whether ``gateway up`` and compose can have the simulator's own port."""
    check = f"port {row.port}"
    if ours:
        return Finding(check, Verdict.FINE, f"serves {row.name}")
    if is_free:
        return Finding(check, Verdict.FINE, f"free for {row.name}")
    return Finding(
        check,
        Verdict.PROBLEM,
        f"wanted for {row.name}, taken by {taken_by or 'a process this user cannot see'}",
        "stop that, or let Docker choose a port: DockerSimulator does unless told otherwise",
    )


def check_container(one: Container, last_words: str = "") -> Finding:
    """Whether a container of ours is well, and if not, why."""
    check = one.name
    if not one.running:
        says = f"; its last words: {last_words.splitlines()[-1]}" if last_words else ""
        remedy = (
            f"give it more than {size(one.memory_bytes)}: gateway up --memory, or memory=..."
            if one.oom_killed
            else "the next run or gateway up replaces it"
        )
        if one.state == "paused":
            return Finding(check, Verdict.PROBLEM, "is paused", f"docker unpause {one.name}")
        return Finding(check, Verdict.PROBLEM, ended(one) + says, remedy)
    if one.health == "unhealthy":
        return Finding(
            check, Verdict.PROBLEM, f"runs but is unhealthy: {one.health_log or 'its server does not answer'}",
            f"docker rm -f {one.name}; the next run or gateway up starts another",
        )  # fmt: skip
    return Finding(check, Verdict.FINE, f"{one.state}, {one.health}" if one.health != "none" else one.state)


# ---------------------------------------------------------------------- gathering the facts


def examine(names: Collection[str] = ()) -> Iterator[Finding]:
    """Yield one finding after the other; an engine that does not answer is the last.

    Args:
        names: of the simulators whose ports matter; all by default.
    """
    try:
        engine = connect()
        about = engine.about()
    except DockerUnavailable as exc:
        yield check_engine(None, exc)
        return
    yield check_engine(about, None, remote=engine.is_remote)
    content = content_tag()
    image_id = find(engine, content)
    image = engine.image(image_id) if image_id else None
    yield check_image(image, len(engine.images_labelled(CONTENT_LABEL)), content)
    yield check_architecture(image, about)
    yield check_disk(_free_bytes(about.root, engine), image_present=image is not None)
    yield check_memory(about.memory_bytes, ContainerLimits().memory)
    yield _check_state()
    everyone = engine.containers()
    yield from (_check_port(SIMULATORS[name], everyone) for name in names or SIMULATORS)
    for one in engine.containers(SIMULATOR_LABEL):
        seen = engine.container(one.id)
        if seen is not None:
            yield check_container(seen, "" if seen.running else engine.logs(seen.id, 1))


def _free_bytes(root: str, engine: Engine) -> int | None:
    try:
        return None if engine.is_remote else shutil.disk_usage(root).free
    except OSError:
        return None


def _check_state() -> Finding:
    vault = Vault()
    try:
        with vault.lock("doctor"):
            pass
    except ContainerError as exc:
        what, _, remedy = exc.message.rpartition(": ")
        return Finding("tokens", Verdict.PROBLEM, what, remedy)
    return Finding("tokens", Verdict.FINE, str(vault.folder))


def _check_port(row: Simulator, everyone: Sequence[Container]) -> Finding:
    holding = next((one for one in everyone if row.port in (one.ports or {}).values()), None)
    ours = holding is not None and holding.labels.get(SIMULATOR_LABEL) == row.name
    taken_by = f"the container {holding.name}" if holding else holder(row.port)
    return check_port(row, taken_by, ours=ours, is_free=holding is None and free(row.port, HOST_IP))


def fleet() -> Fleet:
    """Return this user's containers on the engine in reach."""
    return Fleet(connect(), Vault())
