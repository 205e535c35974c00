"""Has questions answered at desks: in processes that can be killed, a few at a time, while callers take turns."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, cast

from gateway.errors import BusyError, GatewayError, JobTimeout, OutOfMemory, SimulatorCrashed
from gateway.execution.content import Content, whole
from gateway.execution.pool import Stop, WorkerPool
from gateway.execution.runner import Answer
from gateway.execution.worker import Answers, Target
from gateway.protocol import problem
from gateway.protocol.messages import ServerLimits
from gateway.simulators import import_class

_OK = 200


class Sentences(NamedTuple):
    """What is said when there is no answer, and what would help.

    Args:
        busy: too many wait, or nobody had time for the question.
        slow: it took too long; ``{seconds}`` stands for how long it may take.
        large: it took too much memory.
        broken: the processes end before they have answered.
    """

    busy: str
    slow: str
    large: str
    broken: str


class Begun(Stop):
    """Ends a question from outside, and knows whether somebody has begun to answer it.

    Attributes:
        began: when that was, on the monotonic clock; ``None`` before.
    """

    def __init__(self) -> None:
        super().__init__()
        self.began: float | None = None

    @contextlib.contextmanager
    def watching(self, kill: Callable[[], None]) -> Iterator[None]:
        """Note that it begins."""
        self.began = time.monotonic()
        with super().watching(kill):
            yield


class Reception:
    """Has questions answered in processes that are killed when they take too long.

    Args:
        desk: what answers, as ``module:Class``; the processes import it, and this one never does.
        sentences: what is said when there is no answer.
        workers: how many are answered at a time.
        timeout_s: how many seconds one may take, its wait for a worker included.
        memory_bytes: the memory that a process may hold while it answers.
        most_waiting: how many may wait.
    """

    def __init__(
        self, desk: str, sentences: Sentences, *, workers: int, timeout_s: float, memory_bytes: int, most_waiting: int
    ) -> None:
        self._sentences = sentences
        self._workers = workers
        self._timeout_s = timeout_s
        self._most = workers + most_waiting
        self._inside = 0
        self._lock = threading.Lock()
        limits = ServerLimits(timeout_s=timeout_s, worker_memory_bytes=memory_bytes)
        self._pool = WorkerPool(_DeskInWorker(desk=desk), limits, workers)

    @property
    def ready(self) -> bool:
        """Whether a question would be answered at once."""
        return self._pool.ready

    @property
    def waiting(self) -> int:
        """How many questions wait for a worker."""
        return self._pool.waiting

    def pids(self) -> list[int]:
        """Return the ids of the processes."""
        return self._pool.pids()

    def ask(self, question: bytes, caller: str = "", stop: Begun | None = None) -> Content:
        """Return the answer to a question.

        Args:
            question: as the desk reads it.
            caller: who asks; callers that wait take turns.
            stop: ends the question from outside.

        Raises:
            JobTimeout: it takes too long.
            JobCancelled: it was stopped.
            OutOfMemory: it takes too much memory.
            BusyError: too many wait, or the door is stopping.
            GatewayError: the desk refuses it, or fails.
        """
        stop = stop or Begun()
        with self._place():
            try:
                answer = self._answer(question, caller, stop)
            except JobTimeout as exc:
                raise self._too_late(stop) from exc
            except OutOfMemory as exc:
                raise OutOfMemory(self._sentences.large) from exc
        if answer.status == _OK:
            return answer.body
        error = problem.parse(whole(answer.body), answer.status, "the process that was asked")
        raise OutOfMemory(self._sentences.large) if isinstance(error, OutOfMemory) else error

    def close(self) -> None:
        """End the processes; whoever waits gets an error."""
        self._pool.close()

    def _answer(self, question: bytes, caller: str, stop: Begun) -> Answer:
        """Ask one process, and others if that ends: perhaps it was killed, and it was not the question's fault.

        Raises:
            GatewayError: there is no answer.
        """
        seconds_left = self._timeout_s
        for _ in range(self._workers + 1):
            try:
                return self._pool.run(question, None, seconds_left, caller=caller, stop=stop)
            except SimulatorCrashed:
                if stop.began is not None:
                    seconds_left -= time.monotonic() - stop.began
        raise GatewayError(self._sentences.broken)

    def _too_late(self, stop: Begun) -> GatewayError:
        if stop.began is None:
            return BusyError(self._sentences.busy, retry_after_s=1.0)
        return JobTimeout(self._sentences.slow.format(seconds=f"{self._timeout_s:g} s"), timeout_s=self._timeout_s)

    @contextlib.contextmanager
    def _place(self) -> Iterator[None]:
        with self._lock:
            if self._inside >= self._most:
                raise BusyError(self._sentences.busy, retry_after_s=1.0)
            self._inside += 1
        try:
            yield
        finally:
            with self._lock:
                self._inside -= 1


@dataclass(frozen=True, slots=True)
class _DeskInWorker(Target):
    """A desk, which a worker loads; what it imports is large, and stays out of the process that answers requests."""

    desk: str = field(default="", kw_only=True)

    @property
    def module(self) -> str:
        """The module of the desk."""
        return self.desk.partition(":")[0]

    def load(self) -> Answers:
        """Return the desk."""
        return cast("Answers", import_class(self.desk)())
