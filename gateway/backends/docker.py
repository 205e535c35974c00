"""DockerSimulator: runs circuits on a simulator in a Docker container."""

from __future__ import annotations

import os
import re
import secrets
import signal
import socket
import threading
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Self, TypeVar

import requests

from gateway.backends.base import Backend, BackendStatus
from gateway.backends.client import BackendClient
from gateway.backends.connections import InterruptibleAdapter
from gateway.backends.server_job import ServerJob
from gateway.containers.container import Fleet, Lease, Spec
from gateway.containers.engine import Engine, causes, connect
from gateway.containers.hardening import HOST_IP, ContainerLimits
from gateway.containers.image import content_tag, ensure
from gateway.containers.leases import LEASES
from gateway.containers.progress import BuildBar
from gateway.containers.readiness import LOG_LINES, Readiness, ended, size
from gateway.containers.vault import Vault
from gateway.errors import (
    ContainerConflict,
    ContainerError,
    ContainerExited,
    DockerUnavailable,
    GatewayError,
    LimitError,
    OutOfMemory,
    RequestError,
    SimulatorCrashed,
    TransportError,
    TransportTimeout,
)
from gateway.protocol.messages import BackendInfo, RunRequest
from gateway.resources import Resources
from gateway.results import Capabilities, Result
from gateway.simulators import SIMULATORS, find
from gateway.units import parse_bytes
from gateway.version import __version__

T = TypeVar("T")

START_TIMEOUT_S = 60.0
_EXIT_NOTICE_S = 2.0
"""How long the engine may take to notice that a container has ended, after a connection to it broke."""

_KILLED_EXIT_CODES = {-signal.SIGKILL, 128 + signal.SIGKILL}


class DockerSimulator(Backend):
    """A simulator in a Docker container, locked down and reachable from this machine only.

    The first use takes a fitting container that another process of this user has started, or starts one; it
    builds the image when the engine does not have it. The last process that uses a container removes the
    container when the process ends, unless the container is kept. The next run replaces a container that died.

    While this process uses a container, SIGTERM and SIGHUP raise ``SystemExit`` in the main thread, so that
    the process can release the container before it ends. A signal that the program handles or ignores itself is
    left alone, and the last ``close()`` in the main thread restores the default.

    Args:
        name: the name of a simulator, see :mod:`gateway.simulators`.
        port: the port on this machine's loopback interface; Docker chooses one by default.
        memory: the memory limit as Docker writes it (``"4g"``) or in bytes; there is no swap on top.
        cpus: the number of processors that the container may use; its runs have as many threads together.
        threads: the threads of each run, where the simulator can use several; one by default.
        environment: variables for the server. Everybody who may use the engine can read them.
        network: the name of an existing Docker network; by default ours, from which nothing else can be reached.
        image: the name of an image to use instead of this version's; it is pulled if the engine does not have it.
        keep: whether the container goes on running when this process ends; ``gateway down`` removes it.
        timeout_s: seconds that a run may take unless it has a timeout of its own.
        start_timeout_s: seconds that a container may take until its server answers.
        reuse: whether to share the container with others that want the same; otherwise only this object uses it.

    Raises:
        RequestError: there is no such simulator, or the memory or the number of processors is invalid.
    """

    takes_parameters = True

    def __init__(  # noqa: PLR0913 - all but the first by keyword
        self,
        name: str,
        *,
        port: int | None = None,
        memory: str | int | None = None,
        cpus: float | None = None,
        threads: int | None = None,
        environment: Mapping[str, str] | None = None,
        network: str | None = None,
        image: str | None = None,
        keep: bool = False,
        timeout_s: float | None = None,
        start_timeout_s: float = START_TIMEOUT_S,
        reuse: bool = True,
    ) -> None:
        self.name = _check_in_image(name)
        self.port = port
        self.keep = keep
        self.timeout_s = timeout_s
        self.start_timeout_s = start_timeout_s
        self.image = image
        self.network = network
        self.resources = _container_limits(memory, cpus, threads)
        self._environment = tuple(sorted((environment or {}).items()))
        self._unique = "" if reuse else secrets.token_hex(8)
        self._lock = threading.RLock()
        self._fleet: Fleet | None = None
        self._lease: Lease | None = None
        self._client: BackendClient | None = None

    def __repr__(self) -> str:
        return f"DockerSimulator({self.name!r})"

    def __enter__(self) -> Self:
        return self

    @property
    def container(self) -> str | None:
        """The name of the container in use, once there is one."""
        return self._lease.name if self._lease else None

    # ------------------------------------------------------------------ methods of every backend

    def send(self, request: RunRequest) -> list[Result]:
        """Run a request; a request that never reached the server because the container had ended is sent again.

        Raises:
            ContainerExited: the container ended during the run; the next run starts another.
            DockerUnavailable: the engine itself cannot be reached any more.
            LimitError, SimulatorCrashed: the server's error; its message adds how much memory the container has.
        """
        return self._call_server(lambda client: self._send(client, request))

    def begin(self, request: RunRequest) -> ServerJob:
        """Submit a request as a job of the container's server, which keeps it.

        Jobs survive the end of their container: the next container with the same settings continues them, and
        :meth:`job` finds them there.
        """
        return self._call_server(lambda client: self._job(client, client.begin(request)))

    def job(self, job_id: str) -> ServerJob:
        """Return the job with this id."""
        return self._call_server(lambda client: self._job(client, client.job(job_id)))

    def _call_server(self, ask: Callable[[BackendClient], T]) -> T:
        """Call the server; if its container had ended before the call, start another one and call that."""
        client = self.client()
        try:
            return ask(client)
        except TransportError as exc:
            if not any(isinstance(cause, ConnectionRefusedError) for cause in causes(exc)):
                raise
        self._release_client(client)
        return ask(self.client())

    def _job(self, client: BackendClient, job: ServerJob) -> ServerJob:
        def explain(exc: TransportError) -> GatewayError | None:
            error = self._explain_failure(client, exc)
            return None if error is exc else error

        job.on_unreachable = explain
        return job

    def has_started(self) -> bool:
        """Return whether this object uses a container already."""
        return self._client is not None

    def status(self) -> BackendStatus:
        """Ask the server whether it takes work."""
        return self.client().status()

    def capabilities(self) -> Capabilities:
        """Return what the simulator can do."""
        return self.client().capabilities()

    def close(self) -> None:
        """Stop using the container; its last user removes it, unless it is kept."""
        super().close()
        self._release()

    # ------------------------------------------------------------------ the container

    def start(self) -> BackendInfo:
        """Make sure that the container's server answers, and return its description of itself.

        Raises:
            ContainerError: the server does not come up; class and message say why and what to do.
        """
        return self.client().info()

    def client(self) -> BackendClient:
        """Return a client of the server; its container is started first if it is not running."""
        with self._lock:
            if self._client is None:
                self._client = self._connect()
            return self._client

    def logs(self, lines: int = LOG_LINES) -> str:
        """Return the last lines that the server wrote."""
        if self._fleet is None or self._lease is None:
            return ""
        return self._fleet.engine.logs(self._lease.container, lines)

    def _connect(self) -> BackendClient:
        engine = connect()
        _check_local(engine)
        vault = Vault()
        vault.prepare()
        self._fleet = Fleet(engine, vault)
        client = self._compose_client(self._fleet)
        if client is not None:
            return client
        spec = self._spec(engine, vault)
        for is_last in (False, True):
            lease = self._lease = self._fleet.obtain(spec, keep=self.keep)
            LEASES.add(self._fleet, lease)
            try:
                return self._wait_until_ready(self._fleet, lease)
            except BaseException as exc:
                is_broken = isinstance(exc, ContainerError)
                if is_broken or lease.fresh:
                    self._fleet.undo(lease)
                self._release()
                if is_last or lease.fresh or not is_broken:
                    raise
        raise AssertionError("the second attempt returns or raises")

    def _spec(self, engine: Engine, vault: Vault) -> Spec:
        content = _content_tag()
        with BuildBar() as progress:
            image = ensure(engine, vault.folder, progress.report, content=content, reference=self.image)
        return Spec(
            simulator=self.name,
            image=image,
            content=content if self.image is None else f"image:{image}",
            resources=self.resources,
            environment=self._environment,
            network=self.network,
            port=self.port,
            unique=self._unique,
        )

    def _wait_until_ready(self, fleet: Fleet, lease: Lease) -> BackendClient:
        def greet() -> tuple[BackendClient, BackendInfo]:
            client = self._client_for(
                lease.port, lease.token
            )  # called once the server answers, because a container that has ended has no port
            return client, _handshake(client, lease.name)

        readiness = Readiness(
            fleet.engine, lease.container, lease.name, HOST_IP, lease.port, timeout_s=self.start_timeout_s
        )
        client, info = readiness.wait(greet)
        if info.name != self.name:
            raise ContainerConflict(
                f"the container {lease.name} serves {info.name!r}, not {self.name!r}: "
                "check the image, or leave image out to use this version's own",
                container=lease.name,
            )
        return client

    @property
    def _needs_own_container(self) -> bool:
        """Whether this object has settings that a container which compose started may not have."""
        return bool(self.image or self.network or self._environment or self._unique or self.keep) or (
            self.resources != _container_limits(None, None, None)
        )

    def _compose_client(self, fleet: Fleet) -> BackendClient | None:
        """Return a client of a container that compose runs, if it has this version and admits us."""
        if self._needs_own_container:
            return None
        for container in fleet.foreign_containers(self.name):
            port = (container.ports or {}).get(find(self.name).port)
            if port is None or self.port not in {None, port}:
                continue
            client = self._client_for(port, None)
            try:
                info = client.info()
            except GatewayError:
                continue  # it is starting, needs a token, or is no server of ours: we start our own
            if (info.name, info.gateway_version) == (self.name, __version__):
                return client
        return None

    def _client_for(self, port: int, token: str | None) -> BackendClient:
        session = requests.Session()
        session.mount("http://", _KeepAliveAdapter())
        return BackendClient(HOST_IP, port, token=token, timeout_s=self.timeout_s, session=session)

    # ------------------------------------------------------------------ when something goes wrong

    def _send(self, client: BackendClient, request: RunRequest) -> list[Result]:
        try:
            return client.send(request)
        except TransportTimeout:
            raise
        except TransportError as exc:
            if any(isinstance(cause, ConnectionRefusedError) for cause in causes(exc)):
                raise
            raise self._explain_failure(client, exc) from exc
        except (LimitError, SimulatorCrashed, OutOfMemory) as exc:
            raise self._with_memory_advice(exc) from exc
        except KeyboardInterrupt:
            self._release()  # otherwise the container would continue a run whose result nobody wants
            raise

    def _explain_failure(self, client: BackendClient, exc: TransportError) -> GatewayError:
        """Return the error that explains why the connection broke, and let the next run start another container."""
        with self._lock:
            fleet, lease = self._fleet, self._lease
            if fleet is None or lease is None:
                self._release_client(client)
                return exc
            try:
                error = _exit_error(fleet, lease)
            except DockerUnavailable as unavailable:
                self._client = self._lease = None
                return DockerUnavailable(
                    f"the Docker engine went away during the run: {unavailable.message}; the next run starts anew",
                    address=unavailable.address,
                )
            if error is not None:
                fleet.discard(lease)
            self._release_client(client)
            return error or exc

    def _with_memory_advice(self, exc: LimitError | SimulatorCrashed | OutOfMemory) -> GatewayError:
        """Return the error with the container's memory added to the message, where the run lacked memory."""
        memory = self._lease and self.resources.memory
        if not memory:
            return exc
        if isinstance(exc, OutOfMemory) or (isinstance(exc, LimitError) and exc.limit == "qubits"):
            advice = f"the container has {memory}: DockerSimulator({self.name!r}, memory=...) gives it more"
        elif isinstance(exc, SimulatorCrashed) and exc.exit_code in _KILLED_EXIT_CODES:
            advice = (
                f"it was killed, most likely because memory ran out: the container has {memory}, "
                f"DockerSimulator({self.name!r}, memory=...) gives it more"
            )
        else:
            return exc
        return type(exc)(f"{exc.message}; {advice}", circuit=exc.circuit, **exc.details)

    def _release_client(self, client: BackendClient) -> None:
        """Release a client whose container has ended, unless another thread has done so already."""
        with self._lock:
            if self._client is client:
                self._release()

    def _release(self) -> None:
        with self._lock:
            client, self._client = self._client, None
            lease, self._lease = self._lease, None
            if client is not None:
                client.close()
            if lease is not None:
                LEASES.give_back(lease)


def _handshake(client: BackendClient, container: str) -> BackendInfo:
    """Return the server's description of itself.

    Raises:
        ContainerConflict: the server answers, but does not speak this protocol.
        TransportError: the server does not answer yet.
    """
    try:
        return client.info(fresh=True)
    except TransportError as exc:
        if isinstance(exc.__cause__, requests.RequestException):
            raise
        raise ContainerConflict(f"the server in the container {container}: {exc.message}", container=container) from exc


def _container_limits(memory: str | int | None, cpus: float | None, threads: int | None) -> ContainerLimits:
    default = ContainerLimits()
    if memory is not None and not re.fullmatch(r"[1-9]\d*[bkmg]?", str(memory), re.IGNORECASE):
        memory = parse_bytes(memory)
    if cpus is not None and not cpus > 0:
        raise RequestError(f"cpus is a number above 0, not {cpus!r}", field="cpus")
    processors = os.cpu_count() or 1
    return ContainerLimits(
        memory=default.memory if memory is None else f"{memory}b" if isinstance(memory, int) else memory,
        cpus=cpus or min(default.cpus, processors),
        threads=Resources(threads=1 if threads is None else threads).threads,
    )


def _check_local(engine: Engine) -> None:
    if engine.is_remote:
        raise ContainerError(
            f"the Docker engine at {engine.address} is on another machine, and its containers listen only there: "
            "run this program on that machine, or reach a server started there through "
            "ssh -L 8088:127.0.0.1:8088 and BackendClient"
        )


def _exit_error(fleet: Fleet, lease: Lease) -> ContainerExited | None:
    """Return the error that says how the container ended; ``None`` if it is running."""
    deadline = time.monotonic() + _EXIT_NOTICE_S
    while True:
        container = fleet.engine.container(lease.container)
        if container is None or not container.running:
            break
        if time.monotonic() > deadline:
            return None
        time.sleep(0.05)
    logs = fleet.engine.logs(lease.container, LOG_LINES) if container else ""
    out_of_memory = container is not None and container.oom_killed
    advice = (
        f"give it more than {size(container.memory_bytes)} with memory=..."
        if container and out_of_memory
        else "run it again"
    )
    return ContainerExited(
        f"the container {lease.name} {ended(container)} during the run: {advice}; "
        "the next run starts another container",
        container=lease.name,
        exit_code=container.exit_code if container else None,
        oom_killed=out_of_memory,
        logs=logs,
    )


@cache
def _content_tag() -> str:
    return content_tag()


class _KeepAliveAdapter(InterruptibleAdapter):
    """Sends TCP keep-alives, so that a client notices within seconds when the network of a container disappears."""

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **kwargs: Any) -> None:  # noqa: ANN401
        options = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1), (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
        for name, value in (("TCP_KEEPIDLE", 5), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3)):
            if hasattr(socket, name):
                options.append((socket.IPPROTO_TCP, getattr(socket, name), value))
        super().init_poolmanager(connections, maxsize, block=block, socket_options=options, **kwargs)


def _check_in_image(name: str) -> str:
    """Return the name of a simulator after checking that the image contains it.

    Raises:
        RequestError: the image does not contain the simulator.
    """
    if find(name).name not in SIMULATORS:
        msg = f"the image has the gateway's own simulators only, and {name!r} is not one of them: use LocalSimulator"
        raise RequestError(msg, field="simulator")
    return name
