"""VirtualBackend: runs circuits by calling a function of the user in this process."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future, thread
from contextlib import contextmanager
from contextvars import ContextVar
from types import FrameType

from gateway.backends.base import Backend, BackendStatus
from gateway.errors import SimulatorError, UnsupportedError
from gateway.execution.function import Function, PingFunc, RunFunc
from gateway.execution.runner import Runner
from gateway.protocol.messages import RunRequest, ServerLimits
from gateway.results import Capabilities, Result

_LOOK_EVERY_S = 0.2

_inside: ContextVar[tuple[object, ...]] = ContextVar("_inside", default=())
"""The calls in which the current code runs, across threads that take the context along, as asyncio's do."""

_WAITS = (threading.Thread.join.__code__, Future.result.__code__, Future.exception.__code__)
_WORKS = thread._WorkItem.run.__code__  # noqa: SLF001 - how a thread knows for which future it works


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

    A function may run other circuits on its own backend, in the thread in which it was called. A run in another thread,
    for which the function waits, could never begin; it is refused where the wait can be seen: for a thread, a future, a
    job of :meth:`run_async`, or ``asyncio.to_thread``. So is one of several functions that wait for each other's
    backends in different threads.

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

    takes_parameters = True

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
        self._turns = _Turns(name)

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
        with self._turns.taken():
            return self._runner.results(request, self._token)

    def status(self) -> BackendStatus:
        """Call the ``ping_func``, and return its answer."""
        online, message = self._function.ping()
        return BackendStatus(self._function.name, self._function.version(), online, message)

    def capabilities(self) -> Capabilities:
        """Return what a function can do: counts, and probabilities for ``shots=None``."""
        return self._function.capabilities


_awaited: dict[int, _Turns] = {}
_awaiting = threading.Lock()
"""Which thread waits for which turns, and the lock of that."""


class _Turns:
    """Lets one thread at a time call a function, and that thread again while it does.

    Args:
        name: of the function, for the error.

    Attributes:
        holder: the thread that has its turn, by its number, ``None`` if nobody has.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.RLock()
        self.holder: int | None = None
        self._call: object = None

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Wait for a turn, and keep it for as long as the block lasts.

        Raises:
            SimulatorError: the turn would never come, as the function itself waits for this thread.
        """
        if self.holder != threading.get_ident():
            self._check_context()
        self._wait()
        before = self.holder, self._call
        self.holder, self._call = threading.get_ident(), object()
        token = _inside.set((*_inside.get(), self._call))
        try:
            yield
        finally:
            _inside.reset(token)
            self.holder, self._call = before
            self._lock.release()

    def _wait(self) -> None:
        if self._lock.acquire(blocking=False):
            return
        thread = threading.get_ident()
        _awaited[thread] = self
        try:
            while not self._lock.acquire(timeout=_LOOK_EVERY_S):
                self._check_threads()
                self._check_circle(thread)
        finally:
            _awaited.pop(thread, None)

    def _check_circle(self, thread: int) -> None:
        """Refuse a turn if threads, of which this is one, wait for each other's turns; only one of them is refused."""
        with _awaiting:
            turns: _Turns | None = self
            for _ in range(len(_awaited)):
                holder = None if turns is None else turns.holder
                turns = None if holder is None else _awaited.get(holder)
                if holder == thread:
                    del _awaited[thread]
                    raise SimulatorError(
                        f"{self._name} runs in a thread that waits for this one, which would wait for it: call "
                        "functions that run circuits on each other's backends from one thread",
                        simulator=self._name,
                    )

    def _check_context(self) -> None:
        call = self._call
        if call is not None and call in _inside.get():
            self._refuse()

    def _check_threads(self) -> None:
        """Refuse a turn if the thread that has it waits for this one."""
        frames = sys._current_frames()  # noqa: SLF001 - the documented way to see what threads wait for
        ours = [threading.current_thread(), *_selves(frames.get(threading.get_ident()), (_WORKS,))]
        ours += [item.future for item in ours if isinstance(item, thread._WorkItem)]  # noqa: SLF001 - as above
        holder = self.holder
        awaited = _selves(frames.get(holder), _WAITS) if holder is not None else []
        if any(one is another for one in ours for another in awaited):
            self._refuse()

    def _refuse(self) -> None:
        raise SimulatorError(
            f"{self._name} waits for a run of its own backend in another thread, which could never begin: "
            "let it run circuits in the thread in which it is called",
            simulator=self._name,
        )


def _selves(frame: FrameType | None, codes: tuple[object, ...]) -> list[object]:
    """Return the objects of which a thread is in one of some methods."""
    found = []
    while frame is not None:
        if frame.f_code in codes:
            found.append(frame.f_locals["self"])
        frame = frame.f_back
    return found
