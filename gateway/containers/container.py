"""Creates, shares and removes this user's containers on one engine.

Containers are found by their labels. The engine gives a name to one container only, so the name serves as a lock:
of several processes that want the same container, one creates it. It does so by ``create`` and ``start``, because
``run`` would pull. Each process that uses a container notes this in the vault; the last one removes the container
unless it is kept. The next process that starts removes what a dead process left behind.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from gateway.containers.engine import CONFLICT, NOT_FOUND, Container, Engine
from gateway.containers.hardening import (
    CONTENT_LABEL,
    HOST_IP,
    JOBS_FOLDER,
    LABEL_PREFIX,
    NETWORK_DRIVER,
    NETWORK_OPTIONS,
    SIMULATOR_LABEL,
    ContainerLimits,
    create_options,
    serve_command,
)
from gateway.containers.owner import identity, is_dead
from gateway.containers.vault import Entry, Vault, digest, new_token
from gateway.errors import ContainerConflict, EngineRefused, PortTaken
from gateway.simulators import find
from gateway.version import __version__

NETWORK = "simulator-gateway"
HOME_LABEL = LABEL_PREFIX + "home"
OWNER_LABEL = LABEL_PREFIX + "owner"
KEEP_LABEL = LABEL_PREFIX + "keep"
SPEC_LABEL = LABEL_PREFIX + "spec"
PORT_LABEL = LABEL_PREFIX + "port"
VERSION_LABEL = LABEL_PREFIX + "version"

TOKEN_VARIABLE = "GATEWAY_TOKEN_SHA256"  # noqa: S105 - the name of a variable
HOLDER = "home"
"""The name of the holder of every container's token, to whom its jobs belong, so that the next container finds them."""

IDLE_VARIABLE = "GATEWAY_IDLE_S"
IDLE_S = 3600
"""A container that is not kept ends itself after so long without a request."""

PATIENCE_S = 30.0
_POLL_S = 0.1
_numbers = itertools.count()


@dataclass(frozen=True, slots=True)
class Spec:
    """The description of a container that a process wants; processes with equal specs share a container.

    Args:
        simulator: the simulator's name in the registry.
        image: the id of the image.
        content: the content tag of the image, or ``image:`` and its name when the user chose the image.
        resources: the memory, processors and threads that the container may use.
        environment: the environment variables of the server.
        network: an existing network to use instead of ours, from which nothing else can be reached.
        port: the port on the host; with ``None`` Docker chooses one, and a running container with any port fits.
        unique: a random text that makes the spec unlike all others, so that its container is not shared.
    """

    simulator: str
    image: str
    content: str
    resources: ContainerLimits = field(default_factory=ContainerLimits)
    environment: tuple[tuple[str, str], ...] = ()
    network: str | None = None
    port: int | None = None
    unique: str = ""

    @property
    def key(self) -> str:
        """Twelve hex digits that identify the spec without its port and content."""
        parts = (self.simulator, self.resources.identity, self.environment, self.network, self.unique)
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]

    def name(self, home: str) -> str:
        """Return the container's name, which serves as a lock because the engine gives it to one container only."""
        suffix = hashlib.sha256(f"{home} {self.content} {self.key}".encode()).hexdigest()[:8]
        return f"gateway-{self.simulator}-{suffix}" + (f"-{self.port}" if self.port else "")

    def volume(self, home: str) -> str:
        """Return the name of the volume with the jobs, which the next container with these settings uses again."""
        suffix = hashlib.sha256(f"{home} {self.key} {self.port}".encode()).hexdigest()[:8]
        return f"gateway-{self.simulator}-{suffix}-jobs"

    def fits(self, container: Container) -> bool:
        """Return whether a container is the one that this spec describes."""
        labels = container.labels
        return (
            labels.get(SIMULATOR_LABEL) == self.simulator
            and labels.get(CONTENT_LABEL) == self.content
            and labels.get(SPEC_LABEL) == self.key
            and (self.port is None or labels.get(PORT_LABEL) == str(self.port))
        )

    def is_stale(self, container: Container) -> bool:
        """Return whether a container serves the same simulator from the image of another version."""
        content = container.labels.get(CONTENT_LABEL, "")
        is_our_image = not content.startswith("image:") and not self.content.startswith("image:")
        return container.labels.get(SIMULATOR_LABEL) == self.simulator and is_our_image and content != self.content


@dataclass(frozen=True, slots=True)
class Lease:
    """The right of one backend to use a container.

    Args:
        container: the container's id.
        name: the container's name.
        simulator: the simulator that it serves.
        port: its port on the host's loopback interface.
        token: the token that its server accepts; ``None`` if everybody may use it.
        user: the holder of the lease, as the vault notes it.
        volume: the name of the volume with its jobs.
        fresh: whether the container was started for this lease.
    """

    container: str
    name: str
    simulator: str
    port: int
    token: str | None
    user: str
    volume: str
    fresh: bool


class Fleet:
    """This user's containers on one engine.

    Args:
        engine: the engine that runs the containers.
        vault: the folder with their tokens and users.
    """

    def __init__(self, engine: Engine, vault: Vault) -> None:
        self.engine = engine
        self.vault = vault
        self._new_volumes: set[str] = (
            set()
        )  # volumes that this object created, so that no job of an earlier container is in them
        self._orphaned_volumes: set[str] = (
            set()
        )  # volumes whose container ended by itself; the next container uses them again

    def survey(self) -> list[Container]:
        """Return all containers of this user, running or not."""
        return self.engine.containers(f"{HOME_LABEL}={self.vault.home}")

    def foreign_containers(self, simulator: str) -> list[Container]:
        """Return running containers of a simulator that no process of the gateway started, such as those of compose."""
        containers = self.engine.containers(f"{SIMULATOR_LABEL}={simulator}")
        return [container for container in containers if HOME_LABEL not in container.labels and container.running]

    def obtain(self, spec: Spec, *, keep: bool, patience_s: float = PATIENCE_S) -> Lease:
        """Return a lease of a container that fits the spec: of a running one, or else of a new one.

        Any number of threads and processes may call this at once with the same spec; they all get the same container.

        Raises:
            ContainerConflict: a container that is not ours has the name.
            PortTaken, DiskFull, EngineRefused, DockerUnavailable: the container cannot be started.
        """
        deadline = time.monotonic() + patience_s
        while True:
            with self.vault.lock(spec.simulator):
                containers = self.survey()
                removed = self._reap(containers, spec)
                remaining = [container for container in containers if container.id not in removed]
                lease = self._reuse(remaining, spec, keep=keep) or self._create(spec, keep=keep)
            if lease is not None:
                self._orphaned_volumes.discard(lease.volume)
                return lease
            if time.monotonic() > deadline:
                name = spec.name(self.vault.home)
                raise ContainerConflict(
                    f"other processes have created or removed the container {name} for {patience_s:g} s: "
                    f"docker rm -f {name} ends that",
                    container=name,
                )
            time.sleep(_POLL_S)

    def release(self, lease: Lease) -> None:
        """Give a lease back; the last user of a container removes it, unless it is kept."""
        with self.vault.lock(lease.simulator):
            entry = self.vault.drop_user(lease.container, lease.user)
            if entry is None or not (entry.keep or entry.in_use):
                self.remove(lease.container)
            if entry is not None and not (entry.keep or entry.in_use):
                self.engine.remove_volume(lease.volume)

    def discard(self, lease: Lease) -> None:
        """Remove a leased container that does not work; its jobs stay for the next container."""
        with self.vault.lock(lease.simulator):
            self._orphaned_volumes.add(lease.volume)
            self.remove(lease.container)

    def undo(self, lease: Lease) -> None:
        """Remove a leased container that never answered, and its volume unless an earlier container used that."""
        self.discard(lease)
        if lease.volume in self._new_volumes:
            self._orphaned_volumes.discard(lease.volume)
            self.engine.remove_volume(lease.volume)

    def remove_orphans(self) -> None:
        """Remove the volumes of containers that ended by themselves and that no other container replaced."""
        while self._orphaned_volumes:
            self.engine.remove_volume(self._orphaned_volumes.pop())

    def remove(self, container: str) -> None:
        """Kill and remove a container, and forget its token."""
        self.engine.remove(container)
        self.vault.forget(container)

    def reap(self) -> list[str]:
        """Remove the containers and volumes that dead processes left behind, and return the names of the containers."""
        containers = self.survey()
        removed = self._reap(containers, None)
        self.sweep()
        return [container.name for container in containers if container.id in removed]

    def sweep(self, *labels: str, except_volume: str = "") -> None:
        """Remove this user's volumes that no container uses, except one."""
        for volume in self.engine.volumes(f"{HOME_LABEL}={self.vault.home}", *labels):
            if volume != except_volume:
                self.engine.remove_volume(volume)

    # ------------------------------------------------------------------ called while the lock is held

    def _reap(self, containers: Sequence[Container], spec: Spec | None) -> set[str]:
        """Remove containers that nobody uses: those of dead owners, those that ended, and those of older versions."""
        removed = set()
        for container in containers:
            entry = self.vault.read(container.id)
            in_use = entry.in_use if entry else not is_dead(container.labels.get(OWNER_LABEL, ""))
            keep = entry.keep if entry else container.labels.get(KEEP_LABEL) == "true"
            is_stale = spec is not None and spec.is_stale(container)
            is_wanted = spec is not None and entry is not None and container.running and spec.fits(container)
            if in_use or is_wanted or (keep and container.running and not is_stale):
                continue
            with self._simulator_lock(container.labels.get(SIMULATOR_LABEL, ""), spec) as is_held:
                if is_held:
                    self.remove(container.id)
                    removed.add(container.id)
                    wanted_volume = spec.volume(self.vault.home) if spec is not None else ""
                    self.sweep(
                        f"{SIMULATOR_LABEL}={container.labels.get(SIMULATOR_LABEL, '')}", except_volume=wanted_volume
                    )
        self._forget_removed_containers({container.id for container in containers})
        return removed

    def _forget_removed_containers(self, existing_ids: set[str]) -> None:
        """Forget the tokens of containers that no longer exist, unless a process still uses them on another engine."""
        for container in self.vault.containers():
            entry = self.vault.read(container)
            if container not in existing_ids and (entry is None or not (entry.keep or entry.in_use)):
                self.vault.forget(container)

    @contextmanager
    def _simulator_lock(self, simulator: str, spec: Spec | None) -> Iterator[bool]:
        if spec is not None and simulator == spec.simulator:
            yield True  # the caller holds it already
            return
        with self.vault.lock(simulator, wait=False) as is_held:
            yield is_held

    def _reuse(self, containers: Sequence[Container], spec: Spec, *, keep: bool) -> Lease | None:
        for container in containers:
            if not spec.fits(container):
                continue
            entry = self.vault.read(container.id)
            if container.state == "paused":
                raise ContainerConflict(
                    f"the container {container.name} is paused: docker unpause {container.name}, "
                    f"or docker rm -f {container.name}",
                    container=container.name,
                )
            port = (container.ports or {}).get(find(spec.simulator).port)
            if not container.running or entry is None or port is None:
                self.remove(container.id)  # the container ended, or its token is lost
                continue
            user = _new_user()
            self.vault.add_user(container.id, user, keep=keep)
            return Lease(
                container.id,
                container.name,
                spec.simulator,
                port,
                entry.token,
                user,
                spec.volume(self.vault.home),
                fresh=False,
            )
        return None

    def _create(self, spec: Spec, *, keep: bool) -> Lease | None:
        """Create and start a container; return ``None`` when another process of this user has just taken the name."""
        name, volume = spec.name(self.vault.home), spec.volume(self.vault.home)
        token, user = new_token(), _new_user()
        existed = volume in self.engine.volumes(f"{HOME_LABEL}={self.vault.home}")
        try:
            container_id = self._create_container(spec, name, token, keep=keep)
            if container_id is None:
                return None
            if not existed:
                self._new_volumes.add(volume)
            self.vault.write(container_id, Entry(token, keep, (user,)))
            self._start_container(spec, container_id)
            description = self.engine.container(container_id)
            port = (description.ports or {}).get(find(spec.simulator).port, 0) if description else 0
            return Lease(container_id, name, spec.simulator, port, token, user, volume, fresh=True)
        except BaseException:  # an interruption by Ctrl-C leaves nothing behind either
            self._remove_by_name(name)
            if not existed:
                self.engine.remove_volume(volume)
            raise

    def _create_container(self, spec: Spec, name: str, token: str, *, keep: bool) -> str | None:
        port, volume = find(spec.simulator).port, spec.volume(self.vault.home)
        self.engine.ensure_volume(volume, {HOME_LABEL: self.vault.home, SIMULATOR_LABEL: spec.simulator})
        environment = dict(spec.environment) | {TOKEN_VARIABLE: f"{HOLDER} sha256:{digest(token)}"}
        if not keep:
            environment.setdefault(IDLE_VARIABLE, str(IDLE_S))
        try:
            return self.engine.create(
                spec.image,
                serve_command(spec.simulator, spec.resources),
                name=name,
                labels=self._labels(spec, keep=keep),
                environment=environment,
                port=port,
                port_bindings={port: (HOST_IP, spec.port) if spec.port else (HOST_IP,)},
                network_mode=spec.network or NETWORK,
                binds={volume: {"bind": JOBS_FOLDER, "mode": "rw"}},
                **create_options(spec.resources),
            )
        except EngineRefused as exc:
            if exc.status_code != CONFLICT:
                raise
            holder = self.engine.container(name)
            if holder is None or holder.labels.get(HOME_LABEL) == self.vault.home:
                return None
            raise ContainerConflict(
                f"there is a container named {name} that is not ours, so it is left alone: "
                f"docker rename {name} OTHER, or docker rm -f {name} if you do not need it",
                container=name,
            ) from exc

    def _labels(self, spec: Spec, *, keep: bool) -> dict[str, str]:
        return {
            SIMULATOR_LABEL: spec.simulator,
            CONTENT_LABEL: spec.content,
            SPEC_LABEL: spec.key,
            PORT_LABEL: str(spec.port or ""),
            HOME_LABEL: self.vault.home,
            OWNER_LABEL: identity(),
            KEEP_LABEL: str(keep).lower(),
            VERSION_LABEL: __version__,
        }

    def _start_container(self, spec: Spec, container: str) -> None:
        try:
            try:
                self.engine.start(container)
            except EngineRefused as exc:
                if spec.network is not None or not (exc.status_code == NOT_FOUND or "is ambiguous" in exc.message):
                    raise
                self.engine.ensure_network(NETWORK, NETWORK_DRIVER, NETWORK_OPTIONS, {LABEL_PREFIX + "network": "1"})
                self.engine.start(container)
        except PortTaken as exc:
            raise self._port_taken(exc, spec) from exc

    def _port_taken(self, exc: PortTaken, spec: Spec) -> PortTaken:
        """Return the error with the name of the container that has the port; the system only knows Docker's proxy."""
        port = spec.port or exc.port
        holders = [container.name for container in self.engine.containers() if port in (container.ports or {}).values()]
        holder = f"the container {holders[0]}" if holders else exc.holder
        who = f" by {holder}" if holder else ""
        return PortTaken(
            f"port {port} of {HOST_IP} is taken{who}: stop what uses it, or leave the port out to let Docker choose",
            port=port,
            holder=holder,
        )

    def _remove_by_name(self, name: str) -> None:
        """Remove a container that this process created and that did not come up."""
        container = self.engine.container(name)
        if container is not None and container.labels.get(OWNER_LABEL) == identity():
            self.remove(container.id)


def _new_user() -> str:
    return f"{identity()}#{next(_numbers)}"
