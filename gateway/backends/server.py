"""BackendServer: serves a function or a Backend over HTTP."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Self

from gateway.backends.base import Backend
from gateway.backends.process import ServerProcess, check_extra
from gateway.backends.served import OpenBackend, ServedBackend
from gateway.errors import RequestError
from gateway.execution.function import Function, PingFunc, RunFunc, ask
from gateway.protocol.messages import BackendInfo, ServerLimits
from gateway.resources import resources_of


class BackendServer:
    """Serves a function or a Backend over HTTP, hosted by gunicorn in a process of its own.

    ::

        def run_func(circuit, shots):
            return my_machine.execute(circuit.to_openqasm3(), shots)

        with BackendServer(run_func, port=8080) as server:
            ...  # BackendClient("127.0.0.1", 8080) runs circuits now

    The function is copied to worker processes (by cloudpickle), where it can be killed when a run
    passes its deadline and where a crash fails one request only. Variables that it changes in a worker keep
    their values in this process. A connection or a licence that cannot be copied is best opened inside the
    function, on first use.

    A Backend is copied in the same way, or opened in each worker by a function of no arguments::

        BackendServer(QiskitBackend(AerSimulator(method="stabilizer")))
        BackendServer(lambda: IQMBackend(token, "garnet"))

    ``GET /v1/backend`` then reports the Backend's name, version, native gates and capabilities, and the Backend
    receives all circuits of a request together.

    Args:
        run_func: a Backend, a function of no arguments that opens one, or a function ``(circuit, shots)``
            or ``(circuit, shots, token)`` -> mapping from bitstring to counts, clbit 0 rightmost; see
            :class:`gateway.execution.function.Function`. ``circuit`` is a
            :class:`~gateway.circuit.Circuit`, ``shots`` is ``None`` for exact probabilities, ``token``
            is the caller's bearer token or ``None``.
        ping_func: a function that returns whether the server takes work, or a text that explains why not. It is called
            for each ``status()``, instead of a Backend's own.
        port: the port to listen on, for released Qrisp clients too; 0 chooses a free one, which ``.port`` then holds.
        thrift_port: the port for the Thrift clients of qrisp 0.1 to 0.4.10; 0 chooses a free one, which
            ``.thrift_port`` then holds. With ``None`` these clients are not served.
        host: the address to listen on; by default the loopback address, which other machines cannot reach.
        name: the simulator's name that clients see; by default ``function``, or the Backend's own name.
        version: the version that clients see; by default the Backend's own.
        workers: the number of processes that call the function at the same time.
        limits: what a request may not exceed.
        jobs: the path of a file that keeps the jobs, or the URL of a database as SQLAlchemy writes it; without one,
            the jobs end with the server.
        threads: the threads of each call, for libraries that respect ``OMP_NUM_THREADS`` and its like; one by default.
        memory: the memory that a call may allocate, in bytes or such as ``"2g"``; the machine's by default.

    Raises:
        TypeError: ``run_func`` takes neither two nor three arguments nor none.
        RequestError: the function or the Backend cannot be copied to another process; the message says why.
    """

    def __init__(  # noqa: PLR0913 - all but three by keyword
        self,
        run_func: RunFunc | Backend | OpenBackend,
        ping_func: PingFunc | None = None,
        port: int = 8080,
        *,
        thrift_port: int | None = None,
        host: str = "127.0.0.1",
        name: str | None = None,
        version: str | None = None,
        workers: int | None = None,
        limits: ServerLimits | None = None,
        jobs: str | Path | None = None,
        threads: int | None = None,
        memory: str | int | None = None,
    ) -> None:
        runnable = _make_runnable(run_func, ping_func, name, version)
        self._process = ServerProcess(
            pickled=_pickle(runnable),
            host=host,
            port=port,
            thrift_port=thrift_port,
            workers=workers,
            limits=limits,
            jobs=jobs,
            name=name or "function",
            resources=resources_of(threads, memory),
        )

    @property
    def host(self) -> str:
        """The address that the server listens on."""
        return self._process.host

    @property
    def port(self) -> int:
        """The port that the server listens on; when 0 was given, :meth:`start` sets it to the chosen port."""
        return self._process.port

    @property
    def thrift_port(self) -> int | None:
        """The port for Thrift clients, if there is one; when 0 was given, :meth:`start` sets it to the chosen port."""
        return self._process.thrift_port

    def start(self) -> BackendInfo:
        """Start the server and return its description of itself once it answers.

        Raises:
            ServerStartError: the port is taken, or the server ended at once.
        """
        return self._process.start()

    def stop(self) -> None:
        """Stop the server and kill the runs that are under way."""
        self._process.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _make_runnable(
    source: Backend | Callable[..., Any], ping_func: PingFunc | None, name: str | None, version: str | None
) -> Function | ServedBackend:
    """Return the object through which a worker runs circuits."""
    if isinstance(source, Backend) or _opens_a_backend(source):
        ping = None if ping_func is None else partial(ask, ping_func)
        return ServedBackend(source, ping, name=name, version=version)
    return Function(source, ping_func, name=name or "function", version=version or "")


def _opens_a_backend(source: Callable[..., Any]) -> bool:
    """Return whether ``source`` is a function of no arguments, or a class of Backends."""
    if inspect.isclass(source):
        return issubclass(source, Backend)
    try:
        return not inspect.signature(source).parameters
    except ValueError:  # a builtin, which Function refuses
        return False


def _pickle(runnable: Function | ServedBackend) -> bytes:
    check_extra()
    import cloudpickle  # noqa: PLC0415 - needs the extra 'server'

    try:
        return cloudpickle.dumps(runnable)  # type: ignore[no-any-return]
    except Exception as exc:
        raise RequestError(_COPY_FAILURES[type(runnable)].format(exc), field="run_func") from exc


_COPY_FAILURES: dict[type, str] = {
    Function: "run_func cannot be copied to a worker process ({}): open what it holds inside the function, "
    "on first use",
    ServedBackend: "the backend cannot be copied to a worker process ({}): hand over a function of no arguments "
    "that opens it there",
}
