"""A pool of killable worker processes, each with the simulator imported once.

Most simulators hold the GIL while they run, so a thread could neither be timed out nor let others
answer. The HTTP thread that has a request takes an idle worker, sends it the request and waits for
the answer, the deadline or the end of the process, whichever comes first. A worker that passes its
deadline is killed and replaced; one that crashes fails its own request and nobody else's. The
processes come from a fork server that has only imported the simulator, never run it: forking after
a run can hang.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import threading
from collections.abc import Iterator
from multiprocessing import forkserver
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerContext, ForkServerProcess
from queue import Empty, SimpleQueue
from typing import Protocol

from gateway.errors import BusyError, GatewayError, JobTimeout, SimulatorCrashed
from gateway.execution import worker
from gateway.execution.runner import Answer, Runner
from gateway.execution.worker import Describe, Run, Target
from gateway.protocol.messages import ServerLimits

_STARTS = 3
"""How many workers in a row may end before they take a request."""

_OK = 200
_IMPORTED_WITHIN_S = 120.0
_ENDS_WITHIN_S = 2.0


def begin_imports(target: Target) -> None:
    """Start the process that imports the simulator; it goes on while the caller does something else."""
    preload = ["gateway.execution.worker"]
    if target.path is not None:
        preload.append(target.path.partition(":")[0])
    forkserver.set_forkserver_preload(preload)
    forkserver.ensure_running()


class Executor(Protocol):
    """Where requests are run."""

    @property
    def ready(self) -> bool:
        """Whether the simulator is imported, so that a run begins at once."""

    def run(self, body: bytes, token: str | None, timeout_s: float) -> Answer:
        """Run a RunRequest and return its answer.

        Raises:
            JobTimeout, SimulatorCrashed, BusyError: there is no answer.
        """

    def describe(self) -> Answer:
        """Return the BackendInfo; waits until the simulator is imported."""

    def close(self) -> None:
        """End all work."""


class InlineExecutor:
    """Runs in the caller's thread, without isolation: for tests and debugging."""

    ready = True

    def __init__(self, runner: Runner) -> None:
        self.runner = runner

    def run(self, body: bytes, token: str | None, timeout_s: float) -> Answer:  # noqa: ARG002 - cannot be kept
        """Run at once; there is no deadline."""
        return self.runner.run(body, token)

    def describe(self) -> Answer:
        """Return the BackendInfo."""
        return self.runner.describe()

    def close(self) -> None:
        """Nothing to end."""


class WorkerPool:
    """Runs requests in worker processes.

    Args:
        target: what the workers load.
        limits: ``max_queue`` requests may wait while all workers are busy.
        workers: number of processes.
    """

    def __init__(self, target: Target, limits: ServerLimits, workers: int) -> None:
        self._target = target
        self._limits = limits
        self._workers = workers
        self._context = multiprocessing.get_context("forkserver")
        begin_imports(target)
        self._lock = threading.Lock()
        self._under_way = 0
        self._closed = False
        self._described: Answer | None = None
        self._alive: set[_Worker] = set()
        self._idle: SimpleQueue[_Worker | None] = SimpleQueue()  # None: the pool is closed
        # A process starts only when its simulator is imported; meanwhile the server says that it lives.
        threading.Thread(target=self._start, name="gateway-start", daemon=True).start()

    def _start(self) -> None:
        for _ in range(self._workers):
            self._add_worker()
        with contextlib.suppress(GatewayError):  # whoever asks next hears of it
            self.describe()

    @property
    def ready(self) -> bool:
        """Whether a worker has said what it serves."""
        return self._described is not None

    def run(self, body: bytes, token: str | None, timeout_s: float) -> Answer:
        """Run a request in a worker."""
        with self._place_in_line():
            return self._ask(Run(body, token), timeout_s)

    def describe(self) -> Answer:
        """Ask a worker what it serves; while all are busy, what was said last stands."""
        said = self._described
        if said is None or self._under_way < self._workers:
            said = self._ask(Describe(), self._limits.timeout_s)
            if said.status == _OK:
                self._described = said
        return said

    @contextlib.contextmanager
    def _place_in_line(self) -> Iterator[None]:
        with self._lock:
            if self._under_way >= self._workers + self._limits.max_queue:
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

    def _ask(self, task: worker.Task, timeout_s: float) -> Answer:
        for _ in range(_STARTS + self._workers):
            try:
                idle = self._idle.get(timeout=self._limits.max_wait_s)
            except Empty:
                waited_s = self._limits.max_wait_s
                raise BusyError(
                    f"no worker became free within {waited_s:g} s: try again later", retry_after_s=waited_s
                ) from None
            if idle is None:
                self._idle.put(None)  # for the next in line
                raise BusyError("the server is stopping", retry_after_s=1.0)
            try:
                return idle.ask(task, timeout_s)
            except _NotBegunError:
                continue
            finally:
                if idle.usable:
                    self._idle.put(idle)
                else:
                    self._replace(idle)
        raise SimulatorCrashed("the simulator's processes keep ending before they can run anything")

    def _replace(self, ended: _Worker) -> None:
        with self._lock:
            self._alive.discard(ended)
        self._add_worker()

    def _add_worker(self) -> None:
        added = _Worker(self._context, self._target, self._limits)
        with self._lock:
            wanted = not self._closed
            if wanted:
                self._alive.add(added)
        if wanted:
            self._idle.put(added)
        else:
            added.end()

    def close(self) -> None:
        """Kill the workers."""
        with self._lock:
            self._closed = True
            alive, self._alive = self._alive, set()
        self._idle.put(None)
        for each in alive:
            each.end()


class _NotBegunError(Exception):
    """The worker had ended before it took the task."""


_processes = threading.Lock()
"""Starting a process also reaps others, and an exit code can be read only once."""


class _Worker:
    """One process, and the pipe to it; used by one thread at a time."""

    def __init__(self, context: ForkServerContext, target: Target, limits: ServerLimits) -> None:
        self._context = context
        self._loads = (target, limits)
        self._process: ForkServerProcess | None = None
        self._ready = False
        self.usable = True
        with contextlib.suppress(EOFError, OSError):  # no process or descriptor is left: ask() tries again
            self._start()

    def _start(self) -> ForkServerProcess:
        self._pipe, theirs = self._context.Pipe()
        process = self._context.Process(  # not daemonic: a function may start processes of its own
            target=worker.serve, args=(theirs, *self._loads), name="gateway-worker"
        )
        with theirs, _processes:
            process.start()
        self._process = process
        return process

    def ask(self, task: worker.Task, timeout_s: float) -> Answer:
        """Send a task and wait for its answer; ``usable`` says whether the worker can take another.

        Raises:
            _NotBegunError: it had ended before it took the task.
            JobTimeout: it was killed at the deadline.
            SimulatorCrashed: it ended during the task.
        """
        self.usable = False
        try:
            process = self._process or self._start()
            if not self._ready:
                self._receive(process, _IMPORTED_WITHIN_S)  # a word after the import, which is no part of the run
                self._ready = True
            self._pipe.send(task)
        except (EOFError, OSError) as exc:  # a TimeoutError is one of these
            self.end()
            raise _NotBegunError from exc
        try:
            answer = self._receive(process, timeout_s)
        except TimeoutError:
            self.end()
            raise JobTimeout(
                f"the run took longer than {timeout_s:g} s and was killed: ask for fewer shots or a longer timeout_s",
                timeout_s=timeout_s,
            ) from None
        except (EOFError, OSError) as exc:
            raise _crashed(self.end(_ENDS_WITHIN_S)) from exc
        self.usable = True
        return answer

    def _receive(self, process: ForkServerProcess, timeout_s: float | None) -> Answer:
        """Return what the process sends.

        Raises:
            TimeoutError: nothing came.
            EOFError, OSError: the process ended.
        """
        if not wait([self._pipe, process.sentinel], timeout_s):
            raise TimeoutError
        if not self._pipe.poll():  # only the sentinel: the process ended, and left the pipe to a child of its own
            raise EOFError
        return self._pipe.recv()  # type: ignore[no-any-return]

    def end(self, wait_s: float = 0) -> int | None:
        """Make sure that it has ended; return its exit code, negative for a signal.

        Args:
            wait_s: how long it may take to end by itself.
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


def _crashed(exit_code: int | None) -> SimulatorCrashed:
    if exit_code is not None and exit_code < 0:
        name = next((known.name for known in signal.Signals if known == -exit_code), f"signal {-exit_code}")
        why = " (out of memory, or killed from outside)" if name == "SIGKILL" else ""
        how = f"was ended by {name}{why}"
    else:
        how = f"ended with exit code {exit_code}"
    return SimulatorCrashed(f"the simulator's process {how} during this run", exit_code=exit_code)
