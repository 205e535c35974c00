"""Runs a server as a child process, for LocalSimulator and BackendServer."""

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
_REFUSAL = "gateway: "
_LOG_BYTES = 64 * 1024
_SERVER_PACKAGES = ("cloudpickle", "flask", "gunicorn", "prometheus_client", "sqlalchemy")


class ServerProcess:
    """A server in a child process, which ends when its parent ends, even if the parent is killed.

    Args:
        target: the adapter to serve, as ``module:Class``.
        pickled: instead of ``target``, the bytes of a pickled object to serve; the child reads them from standard
            input.
        host: the address to listen on.
        port: the port to listen on, 0 for any free one.
        thrift_port: the port for Thrift clients of old Qrisp versions, 0 for any free one; ``None`` for no such port.
        workers: the number of processes that simulate; one per processor by default.
        limits: what requests may not exceed.
        jobs: the path of a file that keeps the jobs, or the URL of a database; in memory by default.
        name: the name of this server's jobs in the database.
        python: the Python that runs the server, whose environment must have our package; this one by default.
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
        self._requested_ports = (port, thrift_port)  # 0 stays 0: each start chooses a free port again
        self._owner = os.getpid()
        self._process: subprocess.Popen[bytes] | None = None
        self._lifeline: int | None = None
        self._log: IO[bytes] | None = None
        self._lock = threading.Lock()

    @property
    def running(self) -> bool:
        """Whether the process is running."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """The id of the process, while it is running."""
        return self._process.pid if self._process is not None and self.running else None

    def start(self) -> BackendInfo:
        """Start the server if it is not running, wait until it answers, and return its description of itself.

        Raises:
            ServerStartError: the port is taken, or the process ended; ``log`` has its last lines.
            SimulatorNotInstalled: the simulator's framework is absent.
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
        lifeline, self._lifeline = os.pipe()
        self._log = log = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the process ends, and has no name to remove
        try:
            self._process = subprocess.Popen(  # noqa: S603 - ourselves
                [self._python, "-m", "gateway", "serve", "--settings", "-"],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                pass_fds=(lifeline, *(listener.fileno() for listener in listeners)),
                env=_environment(self._python, keep_resources=self._resources is None),
                start_new_session=True,  # Ctrl-C in a terminal reaches the parent only
            )
            message = self._settings_message(lifeline, listeners)
        finally:
            os.close(lifeline)
            for listener in listeners:
                listener.close()
        _running_servers.add(self)
        stdin = self._process.stdin
        assert stdin is not None  # noqa: S101 - Popen was told to open a pipe
        try:
            stdin.write(message + b"\n" + (self._pickled or b""))
            stdin.close()
        except BrokenPipeError:
            pass  # the process has ended; _wait_until_ready() reports why

    def _settings_message(self, lifeline: int, listeners: list[socket.socket]) -> bytes:
        """Return the settings in the form in which the child reads them from its standard input."""
        interfaces = {} if len(listeners) == 1 else {"qrisp": {"thrift_fd": listeners[1].fileno()}}
        lifeline_settings = {"lifeline_fd": lifeline, "lifeline_pid": os.getpid()}
        descriptors = {"listen_fd": listeners[0].fileno(), "interfaces": interfaces}
        values = msgspec.to_builtins(self._settings) | lifeline_settings | descriptors
        if self._resources is None:
            del values["resources"]  # the child takes them from the environment, or the default
        else:
            values["resources"] = self._resources
        return encode(values)

    def _bind(self) -> list[socket.socket]:
        """Open and return the listening sockets: one for HTTP and, if Thrift has a port, one for Thrift."""
        port, thrift_port = self._requested_ports
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
        """Ask the server until it answers; the socket is listening already, so that the first request waits there."""
        assert self._process is not None  # noqa: S101 - called after _spawn
        deadline = time.monotonic() + START_TIMEOUT_S
        delay_s = 0.01
        with BackendClient(_client_address(self.host), self.port) as client:
            while True:
                exit_code = self._process.poll()
                if exit_code is not None:
                    log = self.log()
                    why = _sentence(log) or f"the server ended with exit code {exit_code} before it answered:\n{log}"
                    raise ServerStartError(why, exit_code=exit_code, log=log)
                try:
                    return client.info(fresh=True)
                except TransportError:
                    if time.monotonic() > deadline:
                        raise ServerStartError(
                            f"the server did not answer within {START_TIMEOUT_S:g} s:\n{self.log()}", log=self.log()
                        ) from None
                    time.sleep(delay_s)
                    delay_s = min(delay_s * 2, 0.5)

    def log(self, lines: int = _LOG_LINES) -> str:
        """Return the last lines that the server wrote."""
        if self._log is None:
            return ""
        size = os.fstat(self._log.fileno()).st_size
        # The child writes at the position that both share: reading must not move it.
        tail = os.pread(self._log.fileno(), _LOG_BYTES, max(size - _LOG_BYTES, 0))
        return "\n".join(tail.decode(errors="replace").splitlines()[-lines:])

    def stop(self) -> None:
        """Stop the server; nothing happens if it is not running."""
        with self._lock:
            self._end()

    def leave_to_parent(self) -> None:
        """Let go of the server in a process that was just forked: it ends with the one that it belongs to."""
        self._lock = threading.Lock()  # another thread of the parent may have held it
        if self._lifeline is not None:
            os.close(self._lifeline)
            self._lifeline = None

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
        _running_servers.discard(self)


def _sentence(log: str) -> str:
    """Return the sentence with which a server refused its settings, or an empty text if it ended otherwise."""
    last = log.rpartition("\n")[2]
    return last.removeprefix(_REFUSAL) if last.startswith(_REFUSAL) else ""


def check_extra() -> None:
    """Check that the packages of the extra ``server`` are installed, before anything is started.

    Raises:
        ServerStartError: a package is absent; the message has the line that installs it.
    """
    missing = [name for name in _SERVER_PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise ServerStartError(
            f"a server needs the package {missing[0]!r}, which is not installed: "
            "pip install 'simulator-gateway[server]'"
        )


_running_servers: weakref.WeakSet[ServerProcess] = weakref.WeakSet()


@atexit.register
def _stop_all() -> None:
    for process in list(_running_servers):
        process.stop()


def _leave_all() -> None:
    for process in list(_running_servers):
        process.leave_to_parent()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_all)


def _client_address(host: str) -> str:
    """Return an address at which this machine reaches a server that listens on ``host``."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound


def _environment(python: str, *, keep_resources: bool) -> dict[str, str]:
    """Return the environment variables of the child.

    The child can import whatever this process can, unless its Python is another environment's. Variables with
    settings are left out: they are meant for servers that people start, not for this one.
    """
    excluded = {setting.variable for setting in all_settings() if not keep_resources or setting.path[0] != "resources"}
    inherited = {name: value for name, value in os.environ.items() if name not in excluded}
    if python != sys.executable:
        return inherited
    return {**inherited, "PYTHONPATH": os.pathsep.join([entry for entry in sys.path if entry])}
