"""VirtualBackend: runs circuits by calling a function of the user in this process."""

from __future__ import annotations

import threading

from gateway.backends.base import Backend, BackendStatus
from gateway.errors import UnsupportedError
from gateway.execution.function import Function, PingFunc, RunFunc
from gateway.execution.runner import Runner
from gateway.protocol.messages import RunRequest, ServerLimits
from gateway.results import Capabilities, Result


class VirtualBackend(Backend):
    """Runs circuits by calling ``run_func`` here, without a server.

    ::

        def run_func(circuit, shots):
            return my_machine.execute(circuit.to_openqasm3(), shots)

        VirtualBackend(run_func).run(Circuit(2).h(0).cx(0, 1).measure_all(), shots=1000)

    The function has to keep the same contract as behind a
    :class:`~gateway.backends.server.BackendServer`: whole counts that sum to the shots asked for, one
    character per clbit. Calls never overlap, not even those of :meth:`run_async`, so the function need
    not be safe to use from several threads. It cannot be stopped: a run with ``timeout_s`` is refused.

    Args:
        run_func: ``(circuit, shots)`` or ``(circuit, shots, token)`` -> mapping from bitstring to counts,
            clbit 0 rightmost; see :class:`gateway.execution.function.Function`.
        ping_func: a function that returns whether the backend takes work, or a text that explains why not. It is called
            for each ``status()``.
        name: the simulator's name that results report.
        version: the version that results report.
        token: the token that is passed to functions which take one.

    Raises:
        TypeError: ``run_func`` takes neither two nor three arguments.
    """

    def __init__(
        self,
        run_func: RunFunc,
        *,
        ping_func: PingFunc | None = None,
        name: str = "function",
        version: str = "",
        token: str | None = None,
    ) -> None:
        self._function = Function(run_func, ping_func, name=name, version=version)
        self._runner = Runner(self._function, ServerLimits())
        self._token = token
        self._call_lock = threading.Lock()

    def __repr__(self) -> str:
        return f"VirtualBackend({self._function.run_func!r})"

    def send(self, request: RunRequest) -> list[Result]:
        """Call the function for each circuit, in order."""
        if request.timeout_s is not None:
            raise UnsupportedError(
                f"{self._function.name} runs in this process and cannot be stopped: leave timeout_s out, "
                "or serve the function with a BackendServer",
                feature="timeout_s",
                simulator=self._function.name,
            )
        with self._call_lock:
            return self._runner.results(request, self._token)

    def status(self) -> BackendStatus:
        """Call the ``ping_func``, and return its answer."""
        online, message = self._function.ping()
        return BackendStatus(self._function.name, self._function.version(), online, message)

    def capabilities(self) -> Capabilities:
        """Return what a function can do: counts, and probabilities for ``shots=None``."""
        return self._function.capabilities
