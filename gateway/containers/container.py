"""This user's containers on one engine: found by label, made under a name that is their lock.

A container is made by ``create`` and ``start`` (``run`` would pull). Whoever uses it says so in the
vault; the last one out removes it, unless it is kept. What a dead process left behind is removed
when the next one starts.
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
from gateway.containers.tokens import Entry, Vault, digest, new_token
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
"""Whose jobs are in a container: every token has another digest, but the next container's finds the same jobs."""

IDLE_VARIABLE = "GATEWAY_IDLE_S"
IDLE_S = 3600
"""A container that is not kept ends itself when nobody asked it anything for so long."""

PATIENCE_S = 30.0
_POLL_S = 0.1
_numbers = itertools.count()


@dataclass(frozen=True, slots=True)
class Spec:
    """What container is wanted; equal specs share one.

    Args:
        simulator: its name in the registry.
        image: id of the image.
        content: content tag of the image, or ``image:`` and its name when the user chose it.
        resources: what it may use.
        environment: variables of its server.
        network: an existing network, instead of ours that leads nowhere.
        port: on the host; ``None`` lets Docker choose, and takes any that runs.
        unique: makes a spec unlike all others, so that its container is not shared.
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
        """Twelve hex digits for all but port and content."""
        parts = (self.simulator, self.resources.identity, self.environment, self.network, self.unique)
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]

    def name(self, home: str) -> str:
        """Return the container's name: one at a time can have it, so it is the lock."""
        suffix = hashlib.sha256(f"{home} {self.content} {self.key}".encode()).hexdigest()[:8]
        return f"gateway-{self.simulator}-{suffix}" + (f"-{self.port}" if self.port else "")

    def volume(self, home: str) -> str:
        """Return the name of the volume with its jobs, which the next container of these settings takes over."""
        suffix = hashlib.sha256(f"{home} {self.key} {self.port}".encode()).hexdigest()[:8]
        return f"gateway-{self.simulator}-{suffix}-jobs"

    def fits(self, container: Container) -> bool:
        """Whether a container is what is wanted."""
        labels = container.labels
        return (
            labels.get(SIMULATOR_LABEL) == self.simulator
            and labels.get(CONTENT_LABEL) == self.content
            and labels.get(SPEC_LABEL) == self.key
            and (self.port is None or labels.get(PORT_LABEL) == str(self.port))
        )

    def is_stale(self, container: Container) -> bool:
        """Whether a container serves the same simulator from another version's image."""
        content = container.labels.get(CONTENT_LABEL, "")
        of_ours = not content.startswith("image:") and not self.content.startswith("image:")
        return container.labels.get(SIMULATOR_LABEL) == self.simulator and of_ours and content != self.content


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to use a container.

    Args:
        container: its id.
        port: on the host's loopback interface.
        token: what its server lets in; ``None`` if it lets in everybody.
        user: who holds the lease.
        volume: where its jobs are.
        fresh: whether it was started for this lease.
    """

    container: str
    name: str
    simulator: str
    port: int
    token: str | None
    user: str
    volume: str
    fresh: bool
    memory_bytes: int = 0


class Fleet:
    """This user's containers on one engine.

    Args:
        engine: where they run.
        vault: where their tokens are.
    """

    def __init__(self, engine: Engine, vault: Vault) -> None:
        self.engine = engine
        self.vault = vault
        self._made: set[str] = set()  # volumes that were made here and hold no job that anybody knows of
        self._orphans: set[str] = set()  # volumes whose container ended by itself; the next one takes them over

    def survey(self) -> list[Container]:
        """Return all containers of this user, running or not."""
        return self.engine.containers(f"{HOME_LABEL}={self.vault.home}")

    def strangers(self, simulator: str) -> list[Container]:
        """Return containers that serve the simulator but belong to nobody's home, such as compose's."""
        containers = self.engine.containers(f"{SIMULATOR_LABEL}={simulator}")
        return [one for one in containers if HOME_LABEL not in one.labels and one.running]

    def obtain(self, spec: Spec, *, keep: bool, patience_s: float = PATIENCE_S) -> Lease:
        """Return a lease of the container that fits: the running one, else a new one.

        Any number of threads and processes may ask at once; they end with one container.

        Raises:
            ContainerConflict: a container that is not ours has the name.
            PortTaken, DiskFull, EngineRefused, DockerUnavailable: it cannot be started.
        """
        give_up = time.monotonic() + patience_s
        while True:
            with self.vault.lock(spec.simulator):
                containers = self.survey()
                gone = self._reap(containers, spec)
                left = [one for one in containers if one.id not in gone]
                lease = self._reuse(left, spec, keep=keep) or self._create(spec, keep=keep)
            if lease is not None:
                self._orphans.discard(lease.volume)
                return lease
            if time.monotonic() > give_up:
                name = spec.name(self.vault.home)
                raise ContainerConflict(
                    f"the container {name} is being made or removed for more than {patience_s:g} s: "
                    f"docker rm -f {name} ends that",
                    container=name,
                )
            time.sleep(_POLL_S)

    def release(self, lease: Lease) -> None:
        """Give a lease back; the last one out removes a container that is not kept."""
        with self.vault.lock(lease.simulator):
            left = self.vault.drop_user(lease.container, lease.user)
            if left is None or not (left.keep or left.in_use):
                self.remove(lease.container)
            if left is not None and not (left.keep or left.in_use):
                self.engine.remove_volume(lease.volume)

    def discard(self, lease: Lease) -> None:
        """Remove a leased container that turned out to be of no use to anybody; its jobs stay for the next one."""
        with self.vault.lock(lease.simulator):
            self._orphans.add(lease.volume)
            self.remove(lease.container)

    def undo(self, lease: Lease) -> None:
        """Remove a leased container that never answered, and its volume unless another had it before."""
        self.discard(lease)
        if lease.volume in self._made:
            self._orphans.discard(lease.volume)
            self.engine.remove_volume(lease.volume)

    def remove_orphans(self) -> None:
        """Remove the jobs of containers that ended by themselves and were not replaced by others."""
        while self._orphans:
            self.engine.remove_volume(self._orphans.pop())

    def remove(self, container: str) -> None:
        """Kill and remove a container, and forget its token."""
        self.engine.remove(container)
        self.vault.forget(container)

    def reap(self) -> list[str]:
        """Remove what dead processes left behind; return the names."""
        containers = self.survey()
        gone = self._reap(containers, None)
        self.sweep()
        return [one.name for one in containers if one.id in gone]

    def sweep(self, *labels: str, but: str = "") -> None:
        """Remove this user's volumes that no container uses."""
        for volume in self.engine.volumes(f"{HOME_LABEL}={self.vault.home}", *labels):
            if volume != but:
                self.engine.remove_volume(volume)

    # ------------------------------------------------------------------ inside the lock

    def _reap(self, containers: Sequence[Container], spec: Spec | None) -> set[str]:
        """Remove what nobody uses any more: leftovers of dead owners, ended ones, stale ones."""
        gone = set()
        for one in containers:
            entry = self.vault.read(one.id)
            in_use = entry.in_use if entry else not is_dead(one.labels.get(OWNER_LABEL, ""))
            keep = entry.keep if entry else one.labels.get(KEEP_LABEL) == "true"
            stale = spec is not None and spec.is_stale(one)
            found_again = spec is not None and entry is not None and one.running and spec.fits(one)
            if in_use or found_again or (keep and one.running and not stale):
                continue
            with self._lock_of(one.labels.get(SIMULATOR_LABEL, ""), spec) as held:
                if held:
                    self.remove(one.id)
                    gone.add(one.id)
                    wanted = spec.volume(self.vault.home) if spec is not None else ""
                    self.sweep(f"{SIMULATOR_LABEL}={one.labels.get(SIMULATOR_LABEL, '')}", but=wanted)
        self._forget_removed({one.id for one in containers})
        return gone

    def _forget_removed(self, known: set[str]) -> None:
        """Forget tokens of containers that somebody removed; those of another engine's are kept."""
        for container in self.vault.containers():
            entry = self.vault.read(container)
            if container not in known and (entry is None or not (entry.keep or entry.in_use)):
                self.vault.forget(container)

    @contextmanager
    def _lock_of(self, simulator: str, spec: Spec | None) -> Iterator[bool]:
        if spec is not None and simulator == spec.simulator:
            yield True  # it is held already
            return
        with self.vault.lock(simulator, wait=False) as held:
            yield held

    def _reuse(self, containers: Sequence[Container], spec: Spec, *, keep: bool) -> Lease | None:
        for one in containers:
            if not spec.fits(one):
                continue
            entry = self.vault.read(one.id)
            if one.state == "paused":
                raise ContainerConflict(
                    f"the container {one.name} is paused: docker unpause {one.name}, or docker rm -f {one.name}",
                    container=one.name,
                )
            port = (one.ports or {}).get(find(spec.simulator).port)
            if not one.running or entry is None or port is None:
                self.remove(one.id)  # it ended, or its token is lost
                continue
            user = _user()
            self.vault.add_user(one.id, user, keep=keep)
            return Lease(
                one.id, one.name, spec.simulator, port, entry.token, user, spec.volume(self.vault.home), fresh=False
            )
        return None

    def _create(self, spec: Spec, *, keep: bool) -> Lease | None:
        """Create and start; ``None`` when somebody else of ours has just taken the name."""
        name, volume = spec.name(self.vault.home), spec.volume(self.vault.home)
        token, user = new_token(), _user()
        known = volume in self.engine.volumes(f"{HOME_LABEL}={self.vault.home}")
        try:
            container = self._created(spec, name, token, keep=keep)
            if container is None:
                return None
            if not known:
                self._made.add(volume)
            self.vault.write(container, Entry(token, keep, (user,)))
            self._start(spec, container)
            description = self.engine.container(container)
            port = (description.ports or {}).get(find(spec.simulator).port, 0) if description else 0
            return Lease(container, name, spec.simulator, port, token, user, volume, fresh=True)
        except BaseException:  # Ctrl-C too leaves nothing behind
            self._undo(name)
            if not known:
                self.engine.remove_volume(volume)
            raise

    def _created(self, spec: Spec, name: str, token: str, *, keep: bool) -> str | None:
        inside, volume = find(spec.simulator).port, spec.volume(self.vault.home)
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
                port=inside,
                port_bindings={inside: (HOST_IP, spec.port) if spec.port else (HOST_IP,)},
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

    def _start(self, spec: Spec, container: str) -> None:
        try:
            try:
                self.engine.start(container)
            except EngineRefused as exc:
                if spec.network is not None or exc.status_code != NOT_FOUND:
                    raise
                self.engine.ensure_network(NETWORK, NETWORK_DRIVER, NETWORK_OPTIONS, {LABEL_PREFIX + "network": "1"})
                self.engine.start(container)
        except PortTaken as exc:
            raise self._port_taken(exc, spec) from exc

    def _port_taken(self, exc: PortTaken, spec: Spec) -> PortTaken:
        """Name the container that has the port, which the system only knows as Docker's proxy."""
        port = spec.port or exc.port
        holders = [one.name for one in self.engine.containers() if port in (one.ports or {}).values()]
        holder = f"the container {holders[0]}" if holders else exc.holder
        who = f" by {holder}" if holder else ""
        return PortTaken(
            f"port {port} of {HOST_IP} is taken{who}: stop what uses it, or leave the port out and one is chosen",
            port=port,
            holder=holder,
        )

    def _undo(self, name: str) -> None:
        """Remove a container of this very process that did not come up."""
        container = self.engine.container(name)
        if container is not None and container.labels.get(OWNER_LABEL) == identity():
            self.remove(container.id)


def _user() -> str:
    return f"{identity()}#{next(_numbers)}"
