"""Has texts looked at in processes that can be killed, a few at a time."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from gateway.door.circuits.questions import Look, Time, too_large
from gateway.door.circuits.speeds import Corrections
from gateway.errors import BusyError, GatewayError, JobCancelled, JobTimeout, OutOfMemory, SimulatorCrashed
from gateway.execution import processors
from gateway.execution.content import whole
from gateway.execution.pool import Stop, WorkerPool
from gateway.execution.runner import Answer
from gateway.execution.worker import Answers, Target
from gateway.protocol import problem
from gateway.protocol.door import CircuitInfo, CircuitRequest, SimulatorInfo
from gateway.protocol.messages import ServerLimits

_OK = 200
_MOST_WORKERS = 4
_RUNS_ON_S = 0.5
"""A text that was begun less long ago than this is looked at to the end, since another process would cost as much."""


class Circuits:
    """Says what texts are: their errors, or their size, their drawing, and what they would cost on each simulator.

    Args:
        workers: how many texts are looked at at a time; by default one for each processor, two at least.
        timeout_s: how many seconds a text may take, its wait for a worker included.
        memory_bytes: the memory that a process may hold while it looks at a text.
        most_waiting: how many texts may wait.
    """

    def __init__(
        self,
        *,
        workers: int | None = None,
        timeout_s: float = 5.0,
        memory_bytes: int = 2**30,
        most_waiting: int = 64,
    ) -> None:
        self._workers = workers or max(2, min(processors.usable(), _MOST_WORKERS))
        self._timeout_s = timeout_s
        self._most = self._workers + most_waiting
        self._inside = 0
        self._lock = threading.Lock()
        self._editors: dict[tuple[str, str], list[_Stop]] = {}
        self._corrections = Corrections()
        limits = ServerLimits(timeout_s=timeout_s, worker_memory_bytes=memory_bytes)
        self._pool = WorkerPool(_DeskInWorker(), limits, self._workers)

    @property
    def ready(self) -> bool:
        """Whether a text would be looked at at once."""
        return self._pool.ready

    def describe(self, request: CircuitRequest, simulators: Sequence[SimulatorInfo], caller: str = "") -> CircuitInfo:
        """Return what a text is; what is wrong with it is part of the answer.

        Args:
            request: the text, and what is asked about it.
            simulators: what is known of the simulators, in the order of the answer's estimates.
            caller: who asks; callers that wait take turns, and a request with an editor makes earlier ones of the same
                caller and editor pointless.

        Raises:
            JobTimeout: it takes too long.
            JobCancelled: a later request has come from the same editor.
            BusyError: too many texts wait.
        """
        question = Look(request=request, simulators=tuple(simulators), factors=self._corrections.factors())
        with self._typing(caller, request.editor) as stop:
            try:
                return msgspec.json.decode(self._ask(question, caller, stop), type=CircuitInfo)
            except OutOfMemory:
                return too_large()

    def observe(self, openqasm: str, shots: int, seconds: Mapping[str, float]) -> None:
        """Learn from runs how fast the simulators are here; nothing is learnt from a text that takes too long.

        Args:
            openqasm: the circuit that was run.
            shots: of each run.
            seconds: simulator -> how long its run took.
        """
        question = Time(openqasm=openqasm, shots=shots, simulators=tuple(seconds))
        with contextlib.suppress(GatewayError):
            estimated = msgspec.json.decode(self._ask(question, "", _Stop()), type=dict[str, float])
            for simulator, estimate in estimated.items():
                self._corrections.observe(simulator, estimate, seconds[simulator])

    def close(self) -> None:
        """End the processes; whoever waits gets an error."""
        self._pool.close()

    def _ask(self, question: Look | Time, caller: str, stop: _Stop) -> bytes:
        with self._place():
            try:
                answer = self._answer(msgspec.msgpack.encode(question), caller, stop)
            except JobTimeout as exc:
                raise self._too_late(stop) from exc
            except JobCancelled as exc:
                raise JobCancelled("a later text of the same editor has taken the place of this one") from exc
        body = whole(answer.body)
        if answer.status != _OK:
            raise problem.parse(body, answer.status, "the process that looks at texts")
        return body

    def _answer(self, question: bytes, caller: str, stop: _Stop) -> Answer:
        """Ask one process, and others if that ends: perhaps it was killed, and it was not the text's fault.

        Raises:
            GatewayError: there is no answer.
        """
        for _ in range(self._workers + 1):
            with contextlib.suppress(SimulatorCrashed):
                return self._pool.run(question, None, self._timeout_s, caller=caller, stop=stop)
        raise GatewayError("the processes that look at this text end before they answer: change the text")

    def _too_late(self, stop: _Stop) -> GatewayError:
        if not stop.has_begun:
            text = f"other texts were looked at for {self._timeout_s:g} s, and this one was not: try again"
            return BusyError(text, retry_after_s=1.0)
        text = (
            f"this text takes longer than {self._timeout_s:g} s to look at: ask for fewer turns of its loops, or less"
        )
        return JobTimeout(text, timeout_s=self._timeout_s)

    @contextlib.contextmanager
    def _place(self) -> Iterator[None]:
        with self._lock:
            if self._inside >= self._most:
                raise BusyError(f"{self._inside} texts are looked at or wait: try again", retry_after_s=1.0)
            self._inside += 1
        try:
            yield
        finally:
            with self._lock:
                self._inside -= 1

    @contextlib.contextmanager
    def _typing(self, caller: str, editor: str) -> Iterator[_Stop]:
        """Make the earlier requests of an editor pointless, for as long as this one lasts."""
        stop, key = _Stop(), (caller, editor)
        if not editor:
            yield stop
            return
        with self._lock:
            earlier = list(self._editors.get(key, ()))
            self._editors.setdefault(key, []).append(stop)
        for each in earlier:
            each.request()
        try:
            yield stop
        finally:
            with self._lock:
                self._editors[key].remove(stop)
                if not self._editors[key]:
                    del self._editors[key]


class _DeskInWorker(Target):
    """The desk, which a worker loads; what it imports is large, and stays out of the process that answers requests."""

    @property
    def module(self) -> str:
        """The module of the desk."""
        return f"{__package__}.desk"

    def load(self) -> Answers:
        """Return the desk."""
        from gateway.door.circuits.desk import Desk  # noqa: PLC0415 - see above

        return Desk()


class _Stop(Stop):
    """Ends a look that waits, or that goes on for a while; a short one ends by itself.

    Attributes:
        has_begun: whether a process has begun to look.
    """

    def __init__(self) -> None:
        super().__init__()
        self.has_begun = False
        self._began = 0.0

    def request(self) -> None:
        """End the look, unless it has just begun."""
        if not self.has_begun or time.monotonic() - self._began > _RUNS_ON_S:
            super().request()

    @contextlib.contextmanager
    def watching(self, kill: Callable[[], None]) -> Iterator[None]:
        """Note that the look begins."""
        self.has_begun, self._began = True, time.monotonic()
        with super().watching(kill):
            yield
