"""A server as a child process: how LocalSimulator and BackendServer run theirs."""

from __future__ import annotations

import atexit
import importlib.util
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from typing import IO

import msgspec

from gateway.backends.client import BackendClient
from gateway.errors import ServerStartError, TransportError
from gateway.listener import bind
from gateway.protocol.messages import BackendInfo, ServerLimits, encode
from gateway.resources import Resources
from gateway.settings import IN_MEMORY, Settings, all_settings, database_url

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 5.0
_DRAIN_S = 3.0
_LOG_LINES = 20
_LOG_BYTES = 64 * 1024
_EXTRA = ("cloudpickle", "flask", "gunicorn", "prometheus_client", "sqlalchemy")


class ServerProcess:
    """One server in a child process that ends with its parent, however that ends.

    Args:
        target: ``module:Class`` of an adapter; or
        pickled: a runnable, handed over on standard input.
        host: address to listen on.
        port: 0 for any free one.
        thrift_port: where Thrift clients of old Qrisp versions are answered: none, 0 for any free one.
        workers: processes that simulate; one per processor by default.
        limits: what requests may not exceed.
        jobs: file of the database that keeps jobs, or its URL; in memory by default.
        name: of this server's jobs in the database.
        python: the Python that runs it, whose environment has our package too; this one by default.
        resources: what each run may use.

    Raises:
        RequestError: ``jobs`` is neither a path nor a URL.
    """

    def __init__(  # noqa: PLR0913 - all by keyword
        self,
        *,
        target: str | None = None,
        pickled: bytes | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        thrift_port: int | None = None,
        workers: int | None = None,
        limits: ServerLimits | None = None,
        jobs: str | os.PathLike[str] | None = None,
        name: str = "",
        python: str = sys.executable,
        resources: Resources | None = None,
    ) -> None:
        self._settings = Settings(
            adapter=target,
            pickled=pickled is not None,
            host=host,
            workers=workers,
            limits=limits or ServerLimits(),
            jobs=IN_MEMORY if jobs is None else database_url(jobs),
            jobs_name=name,
            drain_s=_DRAIN_S,
            quiet=True,
        )
        self._resources = resources
        self._pickled = pickled
        self._python = python
        self.host = host
        self.port = port
        self.thrift_port = thrift_port
        self._asked_ports = (port, thrift_port)  # 0 stays 0: another start finds another one
        self._owner = os.getpid()
        self._process: subprocess.Popen[bytes] | None = None
        self._lifeline: int | None = None
        self._log: IO[bytes] | None = None
        self._lock = threading.Lock()

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """Its process id, while it lives."""
        return self._process.pid if self._process is not None and self.running else None

    def start(self) -> BackendInfo:
        """Start it and return once it answers; if it already runs, ask it again.

        Raises:
            ServerStartError: the port is taken, or the process ended; ``log`` has its last lines.
            SimulatorNotInstalled: its framework is absent.
        """
        with self._lock:
            if not self.running:
                self._spawn()
            try:
                return self._wait_until_ready()
            except BaseException:
                self._end()
                raise

    def _spawn(self) -> None:
        if self._python == sys.executable:
            check_extra()
        self._end()
        self._owner = os.getpid()
        listeners = self._bind()
        watched, self._lifeline = os.pipe()
        self._log = log = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process, and leaves nothing behind
        try:
            self._process = subprocess.Popen(  # noqa: S603 - ourselves
                [self._python, "-m", "gateway", "serve", "--settings", "-"],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                pass_fds=(watched, *(each.fileno() for each in listeners)),
                env=_environment(self._python, keep_resources=self._resources is None),
                start_new_session=True,  # Ctrl-C in a terminal is the parent's to handle
            )
            handed_over = self._handed_over(watched, listeners)
        finally:
            os.close(watched)
            for listener in listeners:
                listener.close()
        _alive.add(self)
        stdin = self._process.stdin
        assert stdin is not None  # noqa: S101 - it was asked for as a pipe
        try:
            stdin.write(handed_over + b"\n" + (self._pickled or b""))
            stdin.close()
        except BrokenPipeError:
            pass  # it has ended already; the wait below says why

    def _handed_over(self, lifeline: int, listeners: list[socket.socket]) -> bytes:
        """Return the settings as the child reads them from its standard input."""
        interfaces = {} if len(listeners) == 1 else {"qrisp": {"thrift_fd": listeners[1].fileno()}}
        opened = {"lifeline_fd": lifeline, "listen_fd": listeners[0].fileno(), "interfaces": interfaces}
        values = msgspec.to_builtins(self._settings) | opened
        if self._resources is None:
            del values["resources"]  # those of the environment, or the default
        else:
            values["resources"] = self._resources
        return encode(values)

    def _bind(self) -> list[socket.socket]:
        """Return the listening sockets: for HTTP and, if there is a port for it, for Thrift."""
        port, thrift_port = self._asked_ports
        listeners = [bind(self.host, port)]
        self.port = listeners[0].getsockname()[1]
        if thrift_port is not None:
            try:
                listeners.append(bind(self.host, thrift_port))
            except ServerStartError:
                listeners[0].close()
                raise
            self.thrift_port = listeners[1].getsockname()[1]
        return listeners

    def _wait_until_ready(self) -> BackendInfo:
        """Ask until it answers: the socket already listens, so the first question waits in line."""
        assert self._process is not None  # noqa: S101 - called after _spawn
        give_up = time.monotonic() + START_TIMEOUT_S
        delay_s = 0.01
        with BackendClient(_reachable(self.host), self.port) as client:
            while True:
                exit_code = self._process.poll()
                if exit_code is not None:
                    raise ServerStartError(
                        f"the server ended with exit code {exit_code} before it answered:\n{self.log()}",
                        exit_code=exit_code,
                        log=self.log(),
                    )
                try:
                    return client.info(fresh=True)
                except TransportError:
                    if time.monotonic() > give_up:
                        raise ServerStartError(
                            f"the server did not answer within {START_TIMEOUT_S:g} s:\n{self.log()}", log=self.log()
                        ) from None
                    time.sleep(delay_s)
                    delay_s = min(delay_s * 2, 0.5)

    def log(self, lines: int = _LOG_LINES) -> str:
        """Return the last lines the server wrote."""
        if self._log is None:
            return ""
        size = os.fstat(self._log.fileno()).st_size
        # The child writes at the position that both share: reading must not move it.
        tail = os.pread(self._log.fileno(), _LOG_BYTES, max(size - _LOG_BYTES, 0))
        return "\n".join(tail.decode(errors="replace").splitlines()[-lines:])

    def stop(self) -> None:
        """End it; nothing happens if it does not run."""
        with self._lock:
            self._end()

    def _end(self) -> None:
        if self._lifeline is not None:
            os.close(self._lifeline)
            self._lifeline = None
        if self._process is not None and self._owner == os.getpid():  # a fork of the owner must not stop it
            self._process.terminate()
            try:
                self._process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process = None
        if self._log is not None:
            self._log.close()
            self._log = None
        _alive.discard(self)


def check_extra() -> None:
    """Refuse to serve without the packages of the extra ``server``, before anything is started.

    Raises:
        ServerStartError: one is absent; the message has the line that installs it.
    """
    absent = [name for name in _EXTRA if importlib.util.find_spec(name) is None]
    if absent:
        raise ServerStartError(
            f"a server needs the package {absent[0]!r}, which is not installed: pip install 'simulator-gateway[server]'"
        )


_alive: weakref.WeakSet[ServerProcess] = weakref.WeakSet()


@atexit.register
def _stop_all() -> None:
    for process in list(_alive):
        process.stop()


def _reachable(host: str) -> str:
    """Return an address at which a server listening on ``host`` can be reached from here."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound


def _environment(python: str, *, keep_resources: bool) -> dict[str, str]:
    """Let the child import what this process can, wherever it was started from; another environment has its own.

    Settings in the environment are those of servers that people start, and not of this one.
    """
    dropped = {each.variable for each in all_settings() if not keep_resources or each.path[0] != "resources"}
    inherited = {name: value for name, value in os.environ.items() if name not in dropped}
    if python != sys.executable:
        return inherited
    return {**inherited, "PYTHONPATH": os.pathsep.join([entry for entry in sys.path if entry])}
