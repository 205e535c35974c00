"""LocalSimulator: a simulator's server as a child process, for machines without Docker."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from gateway.backends.base import Backend, BackendStatus
from gateway.backends.client import BackendClient
from gateway.backends.process import ServerProcess
from gateway.backends.server_job import ServerJob
from gateway.errors import RequestError
from gateway.protocol.messages import BackendInfo, RunRequest, ServerLimits
from gateway.resources import resources_of
from gateway.results import Capabilities, Result
from gateway.simulators import SIMULATORS, check_installed, find

_shared_servers: dict[str, ServerProcess] = {}
_lock = threading.Lock()


class LocalSimulator(Backend):
    """A simulator on this machine, without Docker.

    The first use starts the same server a container would run, on a free port of the loopback
    interface; further LocalSimulators of that name in this process use the same server. The server stops
    when this process ends, even if this process is killed while processes that it has forked go on. A forked process
    that uses the object starts a server of its own.

    Args:
        name: the name of a simulator, see :mod:`gateway.simulators`.
        adapter: an adapter of your own instead of a name, as ``module:Class``; the server finds it where this
            process would.
        timeout_s: seconds that a run may take unless it has a timeout of its own.
        workers: the number of processes that simulate at the same time; one per processor by default.
        limits: what a request may not exceed.
        jobs: the path of a file in which the server keeps its jobs, or the URL of a database as SQLAlchemy writes
            it; without one, the jobs end with the server.
        threads: the threads of each run, where the simulator can use several; one by default.
        memory: the memory that each run may use, in bytes or such as ``"2g"``; the machine's by default.

    A LocalSimulator with ``workers``, ``limits``, ``jobs``, ``threads`` or ``memory`` of its own has a
    server of its own, which :meth:`close` stops.
    """

    takes_parameters = True

    def __init__(
        self,
        name: str | None = None,
        *,
        adapter: str | None = None,
        timeout_s: float | None = None,
        workers: int | None = None,
        limits: ServerLimits | None = None,
        jobs: str | Path | None = None,
        threads: int | None = None,
        memory: str | int | None = None,
    ) -> None:
        self.name, target, python = _server_arguments(name, adapter)
        self.timeout_s = timeout_s
        resources = resources_of(threads, memory)
        self._has_own_server = any(argument is not None for argument in (workers, limits, jobs, resources))
        if self._has_own_server:
            self._process = ServerProcess(
                target=target,
                name=self.name,
                workers=workers,
                limits=limits,
                jobs=jobs,
                python=python,
                resources=resources,
            )
        else:
            with _lock:
                self._process = _shared_servers.setdefault(self.name, ServerProcess(target=target, python=python))
        self._client: BackendClient | None = None

    def __repr__(self) -> str:
        return f"LocalSimulator({self.name!r})"

    def start(self) -> BackendInfo:
        """Start the server if it does not run, and return its description of itself.

        Raises:
            SimulatorNotInstalled: the simulator's package is absent.
            ServerStartError: the server does not come up.
        """
        row = SIMULATORS.get(self.name)
        if row is not None and row.python() == sys.executable and not self._process.running:
            check_installed(row)
        info = self._process.start()
        if self._client is None or self._client.port != self._process.port:
            self._client = BackendClient(self._process.host, self._process.port, timeout_s=self.timeout_s)
        return info

    def client(self) -> BackendClient:
        """Return the client of the server, which is started first if it does not run."""
        if self._client is None or not self._process.running:
            self.start()
        assert self._client is not None  # noqa: S101 - start() has made it
        return self._client

    def send(self, request: RunRequest) -> list[Result]:
        """Run a request on the server."""
        return self.client().send(request)

    def begin(self, request: RunRequest) -> ServerJob:
        """Submit a request as a job of the server."""
        return self.client().begin(request)

    def job(self, job_id: str) -> ServerJob:
        """Return the job with this id."""
        return self.client().job(job_id)

    def has_started(self) -> bool:
        """Return whether the server is running."""
        return self._process.running

    def status(self) -> BackendStatus:
        """Ask the server whether it takes work."""
        return self.client().status()

    def capabilities(self) -> Capabilities:
        """Return what the simulator can do."""
        return self.client().capabilities()

    def close(self) -> None:
        """Close the connection, and stop the server if it is not shared."""
        super().close()
        if self._client is not None:
            self._client.close()
            self._client = None
        if self._has_own_server:
            self._process.stop()


def _server_arguments(name: str | None, adapter: str | None) -> tuple[str, str, str]:
    """Return the name, the adapter and the Python with which a server is started.

    Raises:
        RequestError: both arguments are given or neither is, or there is no such simulator.
    """
    if (name is None) == (adapter is None):
        raise RequestError("give the name of a simulator, or adapter='module:Class', and not both", field="simulator")
    if adapter is not None:
        return adapter, adapter, sys.executable
    row = find(str(name))
    return row.name, row.adapter, row.python()
