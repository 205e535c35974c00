"""Runs one comparison in a process of its own, and says how it has ended, whatever the process does."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from gateway.door.comparisons.active import ActiveComparison
from gateway.door.comparisons.channel import Kind, Outcome, Said, Task, dump
from gateway.door.comparisons.processes import ComparisonProcess, how_it_ended, start_process
from gateway.errors import GatewayError, JobCancelled, JobTimeout, OutOfMemory
from gateway.execution.memory import KillsForMemory, Note
from gateway.execution.worker_process import ForkServer
from gateway.protocol import problem
from gateway.protocol.door import ComparisonLimits, ComparisonState

_ENDS_WITHIN_S = 2.0


class End(NamedTuple):
    """How a run of a comparison has ended.

    Args:
        state: the state of the comparison from now on.
        outcome: the record, if there is one.
        error: why there is none.
    """

    state: ComparisonState
    outcome: Outcome | None = None
    error: GatewayError | None = None


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs comparisons, each in a process.

    Args:
        fork_server: starts the processes.
        limits: say how long one may take.
        memory: tells whether the kernel killed a process.
        is_closing: returns whether the door ends, and all processes with it.
    """

    fork_server: ForkServer
    limits: ComparisonLimits
    memory: KillsForMemory
    is_closing: Callable[[], bool]

    def run(self, active: ActiveComparison, task: Task, tell: Callable[[], None]) -> End | None:
        """Run a comparison; return ``None`` if the door ended before it.

        Args:
            active: the comparison.
            task: what it is.
            tell: called when it has said how far it is.
        """
        kills = self.memory.note()
        process = start_process(self.fork_server, self.is_closing)
        if process is None:
            return None
        run = _Run(self, active, process, tell)
        try:
            active.has_process(process)
            end = run.follow(task)
        finally:
            active.has_process(None)
            exit_code = process.end(_ENDS_WITHIN_S if run.has_said_all else 0)
        return end or run.cut_off(exit_code, kills)


class _Run:
    """One comparison while it runs.

    Attributes:
        has_said_all: whether the process has said how it has ended.
    """

    def __init__(
        self, runner: Runner, active: ActiveComparison, process: ComparisonProcess, tell: Callable[[], None]
    ) -> None:
        self._runner = runner
        self._active = active
        self._process = process
        self._tell = tell
        self._limit_at = time.monotonic() + runner.limits.comparison_s
        self._kill_at = math.inf
        self.has_said_all = False

    @property
    def _is_cancelled(self) -> bool:
        return self._active.stored.cancelled_by is not None

    @property
    def _is_late(self) -> bool:
        return time.monotonic() > self._limit_at

    def follow(self, task: Task) -> End | None:
        """Do a task, and return how it has ended; ``None`` if the process has not said so."""
        try:
            self._process.give(Kind.COMPARE, dump(task))
            while True:
                frame = self._process.read()
                if frame is not None and (end := self._take(*frame)) is not None:
                    self.has_said_all = True
                    return end
                self._end_in_time()
        except (EOFError, OSError):
            return None

    def _take(self, kind: Kind, body: bytes) -> End | None:
        if kind is Kind.PROGRESS:
            self._active.hear(msgspec.msgpack.decode(body, type=Said))
            self._tell()
            return None
        if kind is Kind.ENDED:
            return self._with(msgspec.msgpack.decode(body, type=Outcome))
        return self._without(problem.parse(body, GatewayError.status, "the process of the comparison"))

    def _end_in_time(self) -> None:
        """Interrupt the process if it has to end, and kill it if it does not."""
        if self._runner.is_closing() or time.monotonic() > self._kill_at:
            self._process.kill()
        elif self._kill_at == math.inf and (self._is_cancelled or self._is_late):
            self._process.interrupt()
            self._kill_at = time.monotonic() + self._runner.limits.end_within_s

    def _with(self, outcome: Outcome) -> End:
        is_cancelled = self._is_cancelled and outcome.interrupted
        return End(ComparisonState.CANCELLED if is_cancelled else ComparisonState.FINISHED, outcome)

    def _without(self, error: GatewayError) -> End:
        if not isinstance(error, JobCancelled):
            return End(ComparisonState.FAILED, error=error)
        if self._is_cancelled:
            return End(ComparisonState.CANCELLED, error=error)
        seconds = self._runner.limits.comparison_s
        message = f"it was ended after {seconds:g} s, the most that a comparison may take, and nothing had finished"
        return End(ComparisonState.FAILED, error=JobTimeout(message, timeout_s=seconds))

    def cut_off(self, exit_code: int | None, kills: Note) -> End | None:
        """Return how a run has ended whose process has not said so; ``None`` if the door ends."""
        if self._runner.is_closing():
            return None
        if self._is_cancelled or self._is_late:
            if self._active.partial is not None:
                return self._with(self._active.partial)
            return self._without(JobCancelled("it was ended before any simulator had finished"))
        return End(ComparisonState.FAILED, error=self._crash(exit_code, kills))

    def _crash(self, exit_code: int | None, kills: Note) -> GatewayError:
        is_killed = exit_code == -signal.SIGKILL
        if is_killed and self._runner.memory.accounts_for(self._process.pid, kills) is not False:
            return OutOfMemory(
                "the process of the comparison was killed because memory ran out: compare fewer or smaller circuits"
            )
        return GatewayError(f"the process of the comparison {how_it_ended(exit_code)}: compare again")
