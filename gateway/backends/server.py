"""BackendServer: put a function, a backend or an adapter behind a port."""

from __future__ import annotations

from typing import Self

from gateway.backends.process import ServerProcess, check_extra
from gateway.errors import RequestError
from gateway.execution.function import Function, PingFunc, RunFunc
from gateway.protocol.messages import BackendInfo, ServerLimits


class BackendServer:
    """Serves ``run_func`` over HTTP, hosted by gunicorn in a process of its own.

    ::

        def run_func(circuit, shots):
            return my_machine.execute(circuit.to_openqasm3(), shots)

        with BackendServer(run_func, port=8080) as server:
            ...  # BackendClient("127.0.0.1", 8080) runs circuits now

    The function is copied to worker processes (by cloudpickle), where it can be killed when a run
    passes its deadline and where a crash fails one request only. What it changes there is not seen
    here. A connection or a licence that cannot be copied is best opened inside the function, on
    first use.

    Args:
        run_func: ``(circuit, shots)`` or ``(circuit, shots, token)`` -> mapping from bitstring to
            counts, clbit 0 rightmost; see :class:`gateway.execution.function.Function`. ``circuit``
            is a :class:`~gateway.circuit.Circuit`, ``shots`` is ``None`` for exact probabilities,
            ``token`` is the caller's bearer token or ``None``.
        ping_func: returns whether work is taken, or a text; asked for each ``status()``.
        port: 0 finds a free one, which ``.port`` then has. Released Qrisp clients are answered there too.
        thrift_port: where the Thrift clients of qrisp 0.1 to 0.4.10 are answered; 0 finds a free one, which
            ``.thrift_port`` then has. ``None``: nowhere.
        host: loopback by default: nobody else's machine can reach it.
        name: what clients see as the simulator.
        version: what clients see as its version.
        workers: processes that call the function at the same time.
        limits: what a request may not exceed.

    Raises:
        TypeError: ``run_func`` takes neither two nor three arguments.
        RequestError: the function cannot be copied to another process; the text says what stands
            in the way.
    """

    def __init__(  # noqa: PLR0913 - all but three by keyword
        self,
        run_func: RunFunc,
        ping_func: PingFunc | None = None,
        port: int = 8080,
        *,
        thrift_port: int | None = None,
        host: str = "127.0.0.1",
        name: str = "function",
        version: str = "",
        workers: int | None = None,
        limits: ServerLimits | None = None,
    ) -> None:
        runnable = Function(run_func, ping_func, name=name, version=version)
        self._process = ServerProcess(
            pickled=_pickled(runnable), host=host, port=port, thrift_port=thrift_port, workers=workers, limits=limits
        )

    @property
    def host(self) -> str:
        """The address it listens on."""
        return self._process.host

    @property
    def port(self) -> int:
        """The port it listens on; known after :meth:`start` when 0 was asked for."""
        return self._process.port

    @property
    def thrift_port(self) -> int | None:
        """The port for Thrift clients, if there is one; known after :meth:`start` when 0 was asked for."""
        return self._process.thrift_port

    def start(self) -> BackendInfo:
        """Start serving and return once requests are answered.

        Raises:
            ServerStartError: the port is taken, or the server ended at once.
        """
        return self._process.start()

    def stop(self) -> None:
        """Stop serving; runs under way are killed."""
        self._process.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _pickled(runnable: Function) -> bytes:
    check_extra()
    import cloudpickle  # noqa: PLC0415 - needs the extra 'server'

    try:
        return cloudpickle.dumps(runnable)  # type: ignore[no-any-return]
    except Exception as exc:
        raise RequestError(
            f"run_func cannot be copied to a worker process ({exc}): open what it holds inside the function, "
            "on first use",
            field="run_func",
        ) from exc
