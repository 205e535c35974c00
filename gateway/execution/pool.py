"""A pool of killable worker processes, each with the simulator imported once.

Most simulators hold the GIL while they run, so a thread could neither be timed out nor let others
answer. The HTTP thread that has a request takes an idle worker, sends it the request and waits for
the answer, the deadline or the end of the process, whichever comes first. A worker that passes its
deadline is killed and replaced; a worker that crashes fails its own request and nobody else's. The
processes come from a fork server that has only imported the simulator and never run it, because
forking after a run can hang.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import signal
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from multiprocessing import forkserver
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerContext, ForkServerProcess
from typing import Protocol

from gateway.errors import BusyError, GatewayError, JobCancelled, JobTimeout, OutOfMemory, SimulatorCrashed
from gateway.execution import preload
from gateway.execution.answers import AnswerReader
from gateway.execution.fair_queue import WaitingQueue
from gateway.execution.memory import KillsForMemory
from gateway.execution.runner import Answer, Runner
from gateway.execution.worker import Describe, Run, Target, Task, serve
from gateway.protocol.messages import ServerLimits

_STARTS = 3
"""How many workers in a row may end before they take a request."""

_OK = 200
_IMPORTED_WITHIN_S = 120.0
_ENDS_WITHIN_S = 2.0


def begin_imports(target: Target) -> None:
    """Start the process that imports the simulator, and return while the import is still going on."""
    os.environ[preload.VARIABLE] = (target.path or "").partition(":")[0]
    forkserver.set_forkserver_preload(["gateway.execution.worker", preload.__name__])
    forkserver.ensure_running()


class Stop:
    """Ends one run from outside by killing its process, whatever the run is doing."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: _Worker | None = None
        self.requested = False

    def request(self) -> None:
        """End the run, now or as soon as it begins."""
        with self._lock:
            self.requested = True
            if self._running is not None:
                self._running.kill()

    @contextlib.contextmanager
    def watching(self, running: _Worker) -> Iterator[None]:
        """Let :meth:`request` kill this worker for as long as the block lasts."""
        with self._lock:
            self._running = running
            if self.requested:
                running.kill()
        try:
            yield
        finally:
            with self._lock:
                self._running = None


class Executor(Protocol):
    """Where requests are run."""

    @property
    def ready(self) -> bool:
        """Whether the simulator is imported, so that a run begins at once."""

    @property
    def workers(self) -> int:
        """How many runs it takes at the same time."""

    @property
    def waiting(self) -> int:
        """How many runs wait for a worker."""

    @property
    def replaced(self) -> Mapping[str, int]:
        """Why workers were replaced -> how often."""

    def pids(self) -> list[int]:
        """Return the ids of the worker processes."""

    def run(
        self, body: bytes, token: str | None, timeout_s: float, *, caller: str = "", stop: Stop | None = None
    ) -> Answer:
        """Run a RunRequest and return its answer.

        Args:
            body: the request.
            token: of the caller, for a function that takes one.
            timeout_s: how many seconds the run may take, from the moment it begins, before it is killed.
            caller: who sent the request; callers that wait for a worker take turns.
            stop: ends the run from outside. A run with a stop waits for a worker as long as it takes and
                does not count against ``max_queue``, since the jobs it comes from have a queue of their own.

        Raises:
            JobTimeout, JobCancelled, SimulatorCrashed, OutOfMemory, BusyError: there is no answer.
        """

    def describe(self) -> Answer:
        """Return the BackendInfo, after waiting until the simulator is imported."""

    def close(self) -> None:
        """End all work."""


class InlineExecutor:
    """Runs requests in the caller's thread, without isolation, for tests and debugging."""

    ready = True
    workers = 1
    waiting = 0

    def __init__(self, runner: Runner) -> None:
        self.runner = runner
        self.replaced: dict[str, int] = {}

    def pids(self) -> list[int]:
        """Return an empty list, since there are no worker processes."""
        return []

    def run(
        self,
        body: bytes,
        token: str | None,
        timeout_s: float,  # noqa: ARG002 - cannot be kept
        *,
        caller: str = "",  # noqa: ARG002 - nobody waits
        stop: Stop | None = None,
    ) -> Answer:
        """Run at once. The run has no deadline and cannot be stopped once it has begun."""
        if stop is not None and stop.requested:
            raise _cancellation()
        return self.runner.run(body, token)

    def describe(self) -> Answer:
        """Return the BackendInfo."""
        return self.runner.describe()

    def close(self) -> None:
        """Do nothing, since no process has to end."""


class WorkerPool:
    """Runs requests in worker processes.

    Args:
        target: what the workers load.
        limits: ``max_queue`` requests may wait while all workers are busy; a worker that has done
            ``runs_per_worker`` runs is replaced by a new one.
        workers: number of processes.

    Attributes:
        replaced: why workers were replaced -> how often.
    """

    def __init__(self, target: Target, limits: ServerLimits, workers: int) -> None:
        self._target = target
        self._limits = limits
        self.workers = workers
        self._context = multiprocessing.get_context("forkserver")
        begin_imports(target)
        self._lock = threading.Lock()
        self._starting = threading.Lock()  # held while a worker starts
        self._under_way = 0
        self._closed = False
        self._description: Answer | None = None
        self._workers_started = threading.Event()
        self._alive: set[_Worker] = set()
        self._free_workers: WaitingQueue[_Worker] = WaitingQueue()
        self._memory = KillsForMemory()
        self.replaced: Counter[str] = Counter()
        # A worker starts only after its simulator is imported; until then the server already answers that it is alive.
        threading.Thread(target=self._start, name="gateway-start", daemon=True).start()

    def _start(self) -> None:
        """Start the workers and ask one what it serves, before the first run, which may be a long one."""
        try:
            for _ in range(self.workers):
                self._add_worker()
            with contextlib.suppress(GatewayError):  # the next caller of describe() gets the error
                self.describe()
        finally:
            self._workers_started.set()

    @property
    def ready(self) -> bool:
        """Whether a worker has answered with its BackendInfo."""
        return self._description is not None

    @property
    def waiting(self) -> int:
        """How many runs wait for a worker."""
        return len(self._free_workers)

    def pids(self) -> list[int]:
        """Return the ids of the worker processes."""
        with self._lock:
            return [worker.pid for worker in self._alive if worker.pid is not None]

    def run(
        self, body: bytes, token: str | None, timeout_s: float, *, caller: str = "", stop: Stop | None = None
    ) -> Answer:
        """Run a request in a worker."""
        task = Run(body, token)
        self._workers_started.wait()
        if stop is not None:
            return self._ask(task, timeout_s, caller=caller, stop=stop)
        with self._place_in_queue():
            return self._ask(task, timeout_s, caller=caller)

    def describe(self) -> Answer:
        """Ask a worker what it serves; while all workers are busy, return the last answer instead."""
        answer = self._description
        if answer is None or self._free_workers.has_free:
            answer = self._ask(Describe(), self._limits.timeout_s)
            if answer.status == _OK:
                self._description = answer
        return answer

    @contextlib.contextmanager
    def _place_in_queue(self) -> Iterator[None]:
        """Count a run as under way for as long as the block lasts.

        Raises:
            BusyError: as many runs as may wait are waiting already.
        """
        with self._lock:
            if self._under_way >= self.workers + self._limits.max_queue:
                raise BusyError(
                    f"{self._under_way} runs are under way, no more are queued: try again in a second",
                    retry_after_s=1.0,
                )
            self._under_way += 1
        try:
            yield
        finally:
            with self._lock:
                self._under_way -= 1

    def _ask(self, task: Task, timeout_s: float, *, caller: str = "", stop: Stop | None = None) -> Answer:
        for _ in range(_STARTS + self.workers):
            worker = self._take(caller, None if stop is not None else self._limits.max_wait_s)
            if stop is not None and stop.requested:  # it was cancelled while it waited for a worker
                self._free_workers.give(worker)
                raise _cancellation()
            why = JobCancelled.code
            try:
                return worker.ask(task, timeout_s, stop or Stop())
            except _NotBegunError:
                why = "ended"
                continue
            except _EndedError as exc:
                if stop is not None and stop.requested:
                    raise _cancellation() from exc
                error = self._cause_of_end(exc.exit_code)
                why = error.code
                raise error from exc
            except JobTimeout as exc:
                why = exc.code
                raise
            finally:
                self._give_back(worker, why)
        raise SimulatorCrashed("the simulator's processes keep ending before they can run anything")

    def _take(self, caller: str, wait_s: float | None) -> _Worker:
        """Return an idle worker when it is the caller's turn.

        Raises:
            BusyError: no worker became idle in time, or the pool is closed.
        """
        try:
            worker = self._free_workers.take(caller, wait_s)
        except TimeoutError:
            raise BusyError(
                f"no worker became free within {wait_s:g} s: try again later", retry_after_s=wait_s
            ) from None
        if worker is None:
            raise BusyError("the server is stopping", retry_after_s=1.0)
        return worker

    def _give_back(self, worker: _Worker, why: str) -> None:
        """Pass a worker on to the next in line, or replace it if it ended or has done as many runs as it may."""
        if worker.usable and worker.runs < self._limits.runs_per_worker:
            self._free_workers.give(worker)
            return
        with self._lock:
            self._alive.discard(worker)
            self.replaced["recycled" if worker.usable else why] += 1
        threading.Thread(target=self._replace, args=(worker,), name="gateway-replace", daemon=True).start()

    def _replace(self, worker: _Worker) -> None:
        self._add_worker()
        worker.end()

    def _cause_of_end(self, exit_code: int | None) -> SimulatorCrashed | OutOfMemory:
        if exit_code == -signal.SIGKILL and self._memory.happened():
            return OutOfMemory("the simulator's process was killed because memory ran out: ask for fewer qubits")
        return _crash(exit_code)

    def _add_worker(self) -> None:
        with self._starting:
            if self._closed:
                return
            worker = _Worker(self._context, self._target, self._limits)
            with self._lock:
                is_open = not self._closed
                if is_open:
                    self._alive.add(worker)
            if is_open:
                self._free_workers.give(worker)
            else:
                worker.end()

    def close(self) -> None:
        """Kill the workers.

        If a worker is just being started, wait a moment for it: it would print a traceback if this process ended now.
        """
        with self._lock:
            self._closed = True
            alive, self._alive = self._alive, set()
        if self._starting.acquire(timeout=_ENDS_WITHIN_S):
            self._starting.release()
        self._free_workers.close()
        for worker in alive:
            worker.end()


class _NotBegunError(Exception):
    """The worker had ended before it took the task."""


class _EndedError(Exception):
    """The worker ended during the task."""

    def __init__(self, exit_code: int | None) -> None:
        super().__init__(exit_code)
        self.exit_code = exit_code


_processes = threading.Lock()
"""Guards starting and joining processes: starting one also reaps others, and an exit code can be read only once."""


class _Worker:
    """One worker process and the pipe to it. Only one thread uses it at a time."""

    def __init__(self, context: ForkServerContext, target: Target, limits: ServerLimits) -> None:
        self._context = context
        self._loads = (target, limits)
        self._process: ForkServerProcess | None = None
        self._ready = False
        self.usable = True
        self.runs = 0
        with contextlib.suppress(EOFError, OSError):  # no process or descriptor is left: ask() tries again
            self._start()

    def _start(self) -> ForkServerProcess:
        self._pipe, theirs = self._context.Pipe()
        process = self._context.Process(  # not daemonic: a function may start processes of its own
            target=serve, args=(theirs, *self._loads), name="gateway-worker"
        )
        with theirs, _processes:
            process.start()
        self._process = process
        self._answers = AnswerReader(self._pipe, lambda: bool(wait([process.sentinel], 0)))
        return process

    @property
    def pid(self) -> int | None:
        """The id of the worker's process."""
        return self._process.pid if self._process is not None else None

    def kill(self) -> None:
        """Kill the process; the thread that waits for its answer notices that it ended."""
        if self._process is not None:
            self._process.kill()

    def ask(self, task: Task, timeout_s: float, stop: Stop) -> Answer:
        """Send a task and wait for its answer; ``usable`` says whether the worker can take another.

        Raises:
            _NotBegunError: the worker had ended before it took the task.
            JobTimeout: the worker was killed at the deadline.
            _EndedError: the worker ended during the task.
        """
        self.usable = False
        self.runs += 1
        try:
            if self._process is None:
                self._start()
            if not self._ready:
                self._answers.read(_IMPORTED_WITHIN_S)  # the greeting after the import, which is no part of the run
                self._ready = True
            self._pipe.send_bytes(pickle.dumps(task))  # as send() does, without looking for what cannot be pickled
        except (EOFError, OSError) as exc:  # a TimeoutError is one of these
            self.end()
            raise _NotBegunError from exc
        try:
            with stop.watching(self):
                answer = self._answers.read(timeout_s)
        except TimeoutError:
            self.end()
            raise JobTimeout(
                f"the run took longer than {timeout_s:g} s and was killed: ask for fewer shots or a longer timeout_s",
                timeout_s=timeout_s,
            ) from None
        except (EOFError, OSError) as exc:
            raise _EndedError(self.end(_ENDS_WITHIN_S)) from exc
        self.usable = not stop.requested  # a stop may have killed the worker just after it answered
        return answer

    def end(self, wait_s: float = 0) -> int | None:
        """Make sure that the process has ended, and return its exit code, which is negative for a signal.

        Args:
            wait_s: how many seconds the process has to end by itself before it is killed.
        """
        process = self._process
        if process is None:
            return None
        with _processes:
            process.join(wait_s)
            if process.is_alive():
                process.kill()
                process.join()
            return process.exitcode


def _cancellation() -> JobCancelled:
    return JobCancelled("the run was cancelled")


def _crash(exit_code: int | None) -> SimulatorCrashed:
    if exit_code is not None and exit_code < 0:
        name = next((each.name for each in signal.Signals if each == -exit_code), f"signal {-exit_code}")
        why = " (out of memory, or killed from outside)" if name == "SIGKILL" else ""
        how = f"was ended by {name}{why}"
    else:
        how = f"ended with exit code {exit_code}"
    return SimulatorCrashed(f"the simulator's process {how} during this run", exit_code=exit_code)
