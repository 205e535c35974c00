"""DockerSimulator: a simulator in a container of its own."""

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
from requests.adapters import HTTPAdapter

from gateway.backends.base import Backend, BackendStatus
from gateway.backends.client import BackendClient
from gateway.backends.server_job import ServerJob
from gateway.containers.container import Fleet, Lease, Spec
from gateway.containers.engine import Engine, causes, connect
from gateway.containers.hardening import HOST_IP, ContainerLimits
from gateway.containers.image import content_tag, ensure
from gateway.containers.leases import LEASES
from gateway.containers.progress import BuildBar
from gateway.containers.readiness import LOG_LINES, Readiness, ended, size
from gateway.containers.tokens import Vault
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
_SETTLE_S = 2.0
"""How long after a broken connection the engine may take to notice that a container ended."""

_KILLED = {-signal.SIGKILL, 128 + signal.SIGKILL}


class DockerSimulator(Backend):
    """A simulator in a Docker container, locked down and reachable from this machine only.

    The first use finds the container that fits, of whatever process of this user, or starts one;
    the image is built when it is not there. The last process that uses a container removes it when
    it ends, unless it is kept. A container that died is replaced at the next run.

    While this process holds a container, SIGTERM and SIGHUP raise ``SystemExit`` in the
    main thread, so that it is given back; a handler of the program's own and an ignored signal stay as they
    are, and the last ``close()`` in the main thread brings the default back.

    Args:
        name: of a simulator, see :mod:`gateway.simulators`.
        port: on this machine's loopback interface; Docker chooses by default.
        memory: limit as Docker writes it (``"4g"``) or in bytes; there is no swap on top.
        cpus: how many processors it may use; also how many threads its runs have together.
        threads: of each run, where the simulator can use several; one by default.
        environment: variables for its server. They can be seen by whoever may use the engine.
        network: an existing network of Docker's; by default one of ours that leads nowhere.
        image: one of your own instead of this version's; pulled if it is not there.
        keep: leave it running when this process ends; ``gateway down`` removes it.
        timeout_s: seconds for each run, unless the run says otherwise.
        start_timeout_s: how long a container may take until it answers.
        reuse: share a container with others that want the same; otherwise it is this object's alone.

    Raises:
        RequestError: no such simulator, or a memory or number of processors that is none.
    """

    def __init__(  # noqa: PLR0913 - each is given by name
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
        self.name = _in_the_image(name)
        self.port = port
        self.keep = keep
        self.timeout_s = timeout_s
        self.start_timeout_s = start_timeout_s
        self.image = image
        self.network = network
        self.resources = _resources(memory, cpus, threads)
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

    # ------------------------------------------------------------------ Backend

    def send(self, request: RunRequest) -> list[Result]:
        """Run a request; one that never reached a server, because its container had ended, is sent again.

        Raises:
            ContainerExited: the container ended during the run; the next run starts another.
            DockerUnavailable: the engine itself went away.
            LimitError, SimulatorCrashed: as from the server, saying how much memory the container has.
        """
        return self._reached(lambda client: self._send(client, request))

    def begin(self, request: RunRequest) -> ServerJob:
        """Hand a request over as a job of the container's server, which keeps it.

        A container that ends takes no job along: whichever container of the same settings comes next
        takes it up again, and :meth:`job` finds it there.
        """
        return self._reached(lambda client: self._job(client, client.begin(request)))

    def job(self, job_id: str) -> ServerJob:
        """Find a job again by its id."""
        return self._reached(lambda client: self._job(client, client.job(job_id)))

    def _reached(self, ask: Callable[[BackendClient], T]) -> T:
        """Ask the server; if its container had ended before it was asked, ask the next one."""
        client = self.client()
        try:
            return ask(client)
        except TransportError as exc:
            if not any(isinstance(one, ConnectionRefusedError) for one in causes(exc)):
                raise
        self._drop(client)
        return ask(self.client())

    def _job(self, client: BackendClient, job: ServerJob) -> ServerJob:
        def on_unreachable(exc: TransportError) -> GatewayError | None:
            why = self._why(client, exc)
            return None if why is exc else why

        job.on_unreachable = on_unreachable
        return job

    def status(self) -> BackendStatus:
        """Ask the server whether it takes work."""
        return self.client().status()

    def capabilities(self) -> Capabilities:
        """Return what the simulator can do."""
        return self.client().capabilities()

    def close(self) -> None:
        """Stop using the container; the last one out removes it, unless it is kept."""
        super().close()
        self._let_go()

    # ------------------------------------------------------------------ the container

    def start(self) -> BackendInfo:
        """Make sure that its container answers, and return what the server says of itself.

        Raises:
            ContainerError: it does not come up; the class and the message say why and what to do.
        """
        return self.client().info()

    def client(self) -> BackendClient:
        """Return a client of the running server, starting it if need be."""
        with self._lock:
            if self._client is None:
                self._client = self._connected()
            return self._client

    def logs(self, lines: int = LOG_LINES) -> str:
        """Return the last lines its server wrote."""
        if self._fleet is None or self._lease is None:
            return ""
        return self._fleet.engine.logs(self._lease.container, lines)

    def _connected(self) -> BackendClient:
        engine = connect()
        _refuse_remote(engine)
        vault = Vault()
        vault.prepare()
        self._fleet = Fleet(engine, vault)
        client = self._of_compose(self._fleet)
        if client is not None:
            return client
        spec = self._spec(engine, vault)
        for last in (False, True):
            lease = self._lease = self._fleet.obtain(spec, keep=self.keep)
            LEASES.add(self._fleet, lease)
            try:
                return self._ready(self._fleet, lease)
            except BaseException as exc:
                useless = isinstance(exc, ContainerError)
                if useless or lease.fresh:
                    self._fleet.undo(lease)
                self._let_go()
                if last or lease.fresh or not useless:
                    raise
        raise AssertionError("the second attempt returns or raises")

    def _spec(self, engine: Engine, vault: Vault) -> Spec:
        content = _content()
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

    def _ready(self, fleet: Fleet, lease: Lease) -> BackendClient:
        def greet() -> tuple[BackendClient, BackendInfo]:
            client = self._client_for(lease.port, lease.token)  # not before it answers: what has ended has no port
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
    def _is_special(self) -> bool:
        """Whether this simulator wants something that a container started by others may not have."""
        return bool(self.image or self.network or self._environment or self._unique or self.keep) or (
            self.resources != _resources(None, None, None)
        )

    def _of_compose(self, fleet: Fleet) -> BackendClient | None:
        """Return a client of a container that somebody runs by compose, if it is of this version and lets us in."""
        if self._is_special:
            return None
        for one in fleet.strangers(self.name):
            port = (one.ports or {}).get(find(self.name).port)
            if port is None or self.port not in {None, port}:
                continue
            client = self._client_for(port, None)
            try:
                info = client.info()
            except GatewayError:
                continue  # starting, locked, or no server of ours: we start our own
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
            if any(isinstance(one, ConnectionRefusedError) for one in causes(exc)):
                raise
            raise self._why(client, exc) from exc
        except (LimitError, SimulatorCrashed, OutOfMemory) as exc:
            raise self._with_memory(exc) from exc
        except KeyboardInterrupt:
            self._let_go()  # otherwise the container would go on with a run nobody waits for
            raise

    def _why(self, client: BackendClient, exc: TransportError) -> GatewayError:
        """Return why the connection broke during a run, and make the next run start anew."""
        with self._lock:
            fleet, lease = self._fleet, self._lease
            if fleet is None or lease is None:
                self._drop(client)
                return exc
            try:
                error = _post_mortem(fleet, lease)
            except DockerUnavailable as gone:
                self._client = self._lease = None
                return DockerUnavailable(
                    f"the Docker engine went away during the run: {gone.message}; the next run starts anew",
                    address=gone.address,
                )
            if error is not None:
                fleet.discard(lease)
            self._drop(client)
            return error or exc

    def _with_memory(self, exc: LimitError | SimulatorCrashed | OutOfMemory) -> GatewayError:
        """Add how much memory the container has, where memory is what lacked."""
        memory = self._lease and self.resources.memory
        if not memory:
            return exc
        if isinstance(exc, OutOfMemory) or (isinstance(exc, LimitError) and exc.limit == "qubits"):
            advice = f"the container has {memory}: DockerSimulator({self.name!r}, memory=...) gives it more"
        elif isinstance(exc, SimulatorCrashed) and exc.exit_code in _KILLED:
            advice = (
                f"it was killed, most likely for want of memory: the container has {memory}, "
                f"DockerSimulator({self.name!r}, memory=...) gives it more"
            )
        else:
            return exc
        return type(exc)(f"{exc.message}; {advice}", circuit=exc.circuit, **exc.details)

    def _drop(self, client: BackendClient) -> None:
        """Give up a client whose container has ended; another thread may have done so already."""
        with self._lock:
            if self._client is client:
                self._let_go()

    def _let_go(self) -> None:
        with self._lock:
            client, self._client = self._client, None
            lease, self._lease = self._lease, None
            if client is not None:
                client.close()
            if lease is not None:
                LEASES.give_back(lease)


def _handshake(client: BackendClient, container: str) -> BackendInfo:
    """Return what a server says of itself.

    Raises:
        ContainerConflict: it answers, but not as a server of this protocol.
        TransportError: it does not answer yet.
    """
    try:
        return client.info(fresh=True)
    except TransportError as exc:
        if isinstance(exc.__cause__, requests.RequestException):
            raise
        raise ContainerConflict(f"the server in the container {container}: {exc.message}", container=container) from exc


def _resources(memory: str | int | None, cpus: float | None, threads: int | None) -> ContainerLimits:
    default = ContainerLimits()
    if memory is not None and not re.fullmatch(r"[1-9]\d*[bkmg]?", str(memory), re.IGNORECASE):
        memory = parse_bytes(memory)
    if cpus is not None and not cpus > 0:
        raise RequestError(f"cpus is a number above 0, not {cpus!r}", field="cpus")
    here = os.cpu_count() or 1
    return ContainerLimits(
        memory=default.memory if memory is None else f"{memory}b" if isinstance(memory, int) else memory,
        cpus=cpus or min(default.cpus, here),
        threads=Resources(threads=1 if threads is None else threads).threads,
    )


def _refuse_remote(engine: Engine) -> None:
    if engine.is_remote:
        raise ContainerError(
            f"the Docker engine at {engine.address} is on another machine, and its containers listen only there: "
            "run this program on that machine, or reach a server started there through "
            "ssh -L 8088:127.0.0.1:8088 and BackendClient"
        )


def _post_mortem(fleet: Fleet, lease: Lease) -> ContainerExited | None:
    """Return how the container ended; ``None`` if it runs."""
    give_up = time.monotonic() + _SETTLE_S
    while True:
        container = fleet.engine.container(lease.container)
        if container is None or not container.running:
            break
        if time.monotonic() > give_up:
            return None
        time.sleep(0.05)
    logs = fleet.engine.logs(lease.container, LOG_LINES) if container else ""
    memory = container is not None and container.oom_killed
    advice = (
        f"give it more than {size(container.memory_bytes)} with memory=..." if container and memory else "run it again"
    )
    return ContainerExited(
        f"the container {lease.name} {ended(container)} during the run: {advice}; "
        "the next run starts another container",
        container=lease.name,
        exit_code=container.exit_code if container else None,
        oom_killed=memory,
        logs=logs,
    )


@cache
def _content() -> str:
    return content_tag()


class _KeepAliveAdapter(HTTPAdapter):
    """Keeps connections alive by TCP, so that a container whose network vanishes is noticed within seconds."""

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **kwargs: Any) -> None:  # noqa: ANN401
        options = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1), (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
        for name, value in (("TCP_KEEPIDLE", 5), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3)):
            if hasattr(socket, name):
                options.append((socket.IPPROTO_TCP, getattr(socket, name), value))
        super().init_poolmanager(connections, maxsize, block=block, socket_options=options, **kwargs)


def _in_the_image(name: str) -> str:
    """Return the name of a simulator that the image holds.

    Raises:
        RequestError: it holds none of that name.
    """
    if find(name).name not in SIMULATORS:
        msg = (
            f"the image holds the gateway's own simulators, and {name!r} is another distribution's: use LocalSimulator"
        )
        raise RequestError(msg, field="simulator")
    return name
