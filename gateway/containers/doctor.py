"""Checks everything that a container needs; each check returns a finding, which says how to solve a problem.

The checks are functions of facts, so that tests need no engine; :func:`examine` collects the facts.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from gateway.containers.container import Fleet
from gateway.containers.engine import About, Container, Engine, Image, connect
from gateway.containers.hardening import CONTENT_LABEL, HOST_IP, IMAGE, SIMULATOR_LABEL, ContainerLimits
from gateway.containers.image import content_tag, find, find_unlabelled
from gateway.containers.ports import free, holder
from gateway.containers.readiness import ended, size
from gateway.containers.vault import Vault
from gateway.errors import ContainerError, DockerUnavailable
from gateway.simulators import SIMULATORS, Simulator

BUILD_BYTES = 3 * 10**9
"""The free disk space that a build needs."""

RUN_BYTES = 2 * 10**8
"""The free disk space that running containers need."""

_UNITS = {"b": 1, "k": 2**10, "m": 2**20, "g": 2**30}


class Verdict(StrEnum):
    """The outcome of a check."""

    FINE = "fine"
    PROBLEM = "problem"
    NOTE = "note"
    """Nothing is wrong, but the finding is worth knowing."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check.

    Args:
        check: the name of the check.
        verdict: the outcome of the check.
        what: the finding in one line.
        remedy: what to do about a problem.
    """

    check: str
    verdict: Verdict
    what: str
    remedy: str = ""


def check_engine(about: About | None, error: DockerUnavailable | None, *, remote: bool = False) -> Finding:
    """Check whether an engine answers, and if not, why."""
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
    """Check whether the engine has the image of this version."""
    if image is not None:
        return Finding("image", Verdict.FINE, f"{IMAGE}:{content}, {image.size_bytes / 1e6:.0f} MB")
    others_text = f"; {others} of other versions are" if others else ""
    return Finding("image", Verdict.PROBLEM, f"{IMAGE}:{content} is not there{others_text}", "gateway build")


def check_architecture(image: Image | None, about: About) -> Finding:
    """Check whether image and engine are for the same processor architecture."""
    if image is None or image.architecture == about.architecture:
        return Finding("architecture", Verdict.FINE, about.architecture)
    return Finding(
        "architecture",
        Verdict.PROBLEM,
        f"the image is for {image.architecture}, this engine for {about.architecture}: it would not start or be slow",
        f"docker image rm -f {image.tags[0] if image.tags else image.id}, then gateway build",
    )


def check_disk(free_bytes: int | None, *, image_present: bool) -> Finding:
    """Check whether there is enough disk space to build the image or to run containers."""
    if free_bytes is None:
        return Finding("disk", Verdict.NOTE, "the engine's disk cannot be seen from here", "docker system df shows it")
    required_bytes = RUN_BYTES if image_present else BUILD_BYTES
    what = f"{free_bytes / 1e9:.1f} GB free where Docker stores images"
    if free_bytes >= required_bytes:
        return Finding("disk", Verdict.FINE, what)
    purpose = "running" if image_present else "building the image"
    return Finding(
        "disk",
        Verdict.PROBLEM,
        f"{what}; {purpose} needs {required_bytes / 1e9:.1f} GB",
        "docker system prune frees what nobody uses",
    )


def check_memory(memory_bytes: int, limit: str) -> Finding:
    """Check whether the machine has as much memory as one container may use."""
    limit_bytes = int(limit[:-1]) * _UNITS[limit[-1].lower()]
    what = f"the engine's machine has {size(memory_bytes)}, one container may use {size(limit_bytes)}"
    if memory_bytes >= limit_bytes:
        return Finding("memory", Verdict.FINE, what)
    return Finding(
        "memory",
        Verdict.PROBLEM,
        what,
        f"give Docker more (Docker Desktop: Settings, Resources), or containers less: "
        f"DockerSimulator(NAME, memory='{max(memory_bytes * 3 // 4 // 2**20, 1)}m'), gateway up --memory",
    )


def check_port(row: Simulator, taken_by: str | None, *, ours: bool, is_free: bool) -> Finding:
    """Check whether ``gateway up`` and compose can use the simulator's own port."""
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


def check_container(container: Container, last_words: str = "") -> Finding:
    """Check whether a container of ours runs and is healthy, and if not, why."""
    check = container.name
    if not container.running:
        log_line = f"; its last words: {last_words.splitlines()[-1]}" if last_words else ""
        remedy = (
            f"give it more than {size(container.memory_bytes)}: gateway up --memory, or memory=..."
            if container.oom_killed
            else "the next run or gateway up replaces it"
        )
        if container.state == "paused":
            return Finding(check, Verdict.PROBLEM, "is paused", f"docker unpause {container.name}")
        return Finding(check, Verdict.PROBLEM, ended(container) + log_line, remedy)
    if container.health == "unhealthy":
        return Finding(
            check, Verdict.PROBLEM, f"runs but is unhealthy: {container.health_log or 'its server does not answer'}",
            f"docker rm -f {container.name}; the next run or gateway up starts another",
        )  # fmt: skip
    return Finding(
        check, Verdict.FINE, f"{container.state}, {container.health}" if container.health != "none" else container.state
    )


# ---------------------------------------------------------------------- collecting the facts


def examine(names: Collection[str] = ()) -> Iterator[Finding]:
    """Yield the finding of each check; if no engine answers, that is the only finding.

    Args:
        names: the simulators whose ports are checked; all by default.
    """
    try:
        engine = connect()
        about = engine.about()
    except DockerUnavailable as exc:
        yield check_engine(None, exc)
        return
    yield check_engine(about, None, remote=engine.is_remote)
    content = content_tag()
    image_id = find(engine, content) or find_unlabelled(engine, content, Vault().home)
    image = engine.image(image_id) if image_id else None
    yield check_image(image, len(engine.images_labelled(CONTENT_LABEL)), content)
    yield check_architecture(image, about)
    yield check_disk(_free_bytes(about.root, engine), image_present=image is not None)
    yield check_memory(about.memory_bytes, ContainerLimits().memory)
    yield _check_state()
    all_containers = engine.containers()
    yield from (_check_port(SIMULATORS[name], all_containers) for name in names or SIMULATORS)
    for listed_container in engine.containers(SIMULATOR_LABEL):
        description = engine.container(listed_container.id)
        if description is not None:
            yield check_container(description, "" if description.running else engine.logs(description.id, 1))


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


def _check_port(row: Simulator, all_containers: Sequence[Container]) -> Finding:
    holding_container = next(
        (container for container in all_containers if row.port in (container.ports or {}).values()), None
    )
    ours = holding_container is not None and holding_container.labels.get(SIMULATOR_LABEL) == row.name
    taken_by = f"the container {holding_container.name}" if holding_container else holder(row.port)
    return check_port(row, taken_by, ours=ours, is_free=holding_container is None and free(row.port, HOST_IP))


def fleet() -> Fleet:
    """Return this user's containers on the engine that :func:`connect` finds."""
    return Fleet(connect(), Vault())
