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
from gateway.execution import worker
from gateway.execution.answers import AnswerReader
from gateway.execution.fair_queue import Line
from gateway.execution.memory import KillsForMemory
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


class Stop:
    """Ends one run from outside, whatever it is doing: its process is killed."""

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
        """Let requests reach a worker while it runs."""
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
            timeout_s: seconds until it is killed, from the moment it begins.
            caller: whose turn it is when others wait too.
            stop: ends it from outside. A run that has one waits for a worker as long as it takes
                and counts as nobody in the line: what handed it over has a queue of its own.

        Raises:
            JobTimeout, JobCancelled, SimulatorCrashed, OutOfMemory, BusyError: there is no answer.
        """

    def describe(self) -> Answer:
        """Return the BackendInfo; waits until the simulator is imported."""

    def close(self) -> None:
        """End all work."""


class InlineExecutor:
    """Runs in the caller's thread, without isolation: for tests and debugging."""

    ready = True
    workers = 1
    waiting = 0

    def __init__(self, runner: Runner) -> None:
        self.runner = runner
        self.replaced: dict[str, int] = {}

    def pids(self) -> list[int]:
        """Return none: there are no processes."""
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
        """Run at once; there is no deadline, and no stop once it has begun."""
        if stop is not None and stop.requested:
            raise _cancelled()
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
        self._under_way = 0
        self._closed = False
        self._described: Answer | None = None
        self._begun = threading.Event()
        self._alive: set[_Worker] = set()
        self._line: Line[_Worker] = Line()
        self._memory = KillsForMemory()
        self.replaced: Counter[str] = Counter()
        # A process starts only when its simulator is imported; meanwhile the server says that it lives.
        threading.Thread(target=self._start, name="gateway-start", daemon=True).start()

    def _start(self) -> None:
        """Start the workers; what they serve is asked before the first run, which may be a long one."""
        try:
            for _ in range(self.workers):
                self._add_worker()
            with contextlib.suppress(GatewayError):  # whoever asks next hears of it
                self.describe()
        finally:
            self._begun.set()

    @property
    def ready(self) -> bool:
        """Whether a worker has said what it serves."""
        return self._described is not None

    @property
    def waiting(self) -> int:
        """How many runs wait for a worker."""
        return len(self._line)

    def pids(self) -> list[int]:
        """Return the ids of the worker processes."""
        with self._lock:
            return [each.pid for each in self._alive if each.pid is not None]

    def run(
        self, body: bytes, token: str | None, timeout_s: float, *, caller: str = "", stop: Stop | None = None
    ) -> Answer:
        """Run a request in a worker."""
        task = Run(body, token)
        self._begun.wait()
        if stop is not None:
            return self._ask(task, timeout_s, caller=caller, stop=stop)
        with self._place_in_line():
            return self._ask(task, timeout_s, caller=caller)

    def describe(self) -> Answer:
        """Ask a worker what it serves; while all are busy, what was said last stands."""
        said = self._described
        if said is None or self._line.has_free:
            said = self._ask(Describe(), self._limits.timeout_s)
            if said.status == _OK:
                self._described = said
        return said

    @contextlib.contextmanager
    def _place_in_line(self) -> Iterator[None]:
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

    def _ask(self, task: worker.Task, timeout_s: float, *, caller: str = "", stop: Stop | None = None) -> Answer:
        for _ in range(_STARTS + self.workers):
            taken = self._take(caller, None if stop is not None else self._limits.max_wait_s)
            if stop is not None and stop.requested:  # while it waited
                self._line.give(taken)
                raise _cancelled()
            why = JobCancelled.code
            try:
                return taken.ask(task, timeout_s, stop or Stop())
            except _NotBegunError:
                why = "ended"
                continue
            except _EndedError as exc:
                if stop is not None and stop.requested:
                    raise _cancelled() from exc
                error = self._why_ended(exc.exit_code)
                why = error.code
                raise error from exc
            except JobTimeout as exc:
                why = exc.code
                raise
            finally:
                self._give_back(taken, why)
        raise SimulatorCrashed("the simulator's processes keep ending before they can run anything")

    def _take(self, caller: str, wait_s: float | None) -> _Worker:
        try:
            taken = self._line.take(caller, wait_s)
        except TimeoutError:
            raise BusyError(
                f"no worker became free within {wait_s:g} s: try again later", retry_after_s=wait_s
            ) from None
        if taken is None:
            raise BusyError("the server is stopping", retry_after_s=1.0)
        return taken

    def _give_back(self, used: _Worker, why: str) -> None:
        """Let the next in line have a worker, or another in place of one that ended or has done enough."""
        if used.usable and used.runs < self._limits.runs_per_worker:
            self._line.give(used)
            return
        with self._lock:
            self._alive.discard(used)
            self.replaced["recycled" if used.usable else why] += 1
        threading.Thread(target=self._replace, args=(used,), name="gateway-replace", daemon=True).start()

    def _replace(self, used: _Worker) -> None:
        self._add_worker()
        used.end()

    def _why_ended(self, exit_code: int | None) -> SimulatorCrashed | OutOfMemory:
        if exit_code == -signal.SIGKILL and self._memory.happened():
            return OutOfMemory("the simulator's process was killed because memory ran out: ask for fewer qubits")
        return _crashed(exit_code)

    def _add_worker(self) -> None:
        added = _Worker(self._context, self._target, self._limits)
        with self._lock:
            wanted = not self._closed
            if wanted:
                self._alive.add(added)
        if wanted:
            self._line.give(added)
        else:
            added.end()

    def close(self) -> None:
        """Kill the workers."""
        with self._lock:
            self._closed = True
            alive, self._alive = self._alive, set()
        self._line.close()
        for each in alive:
            each.end()


class _NotBegunError(Exception):
    """The worker had ended before it took the task."""


class _EndedError(Exception):
    """The worker ended during the task."""

    def __init__(self, exit_code: int | None) -> None:
        super().__init__(exit_code)
        self.exit_code = exit_code


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
        self.runs = 0
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
        self._answers = AnswerReader(self._pipe, lambda: bool(wait([process.sentinel], 0)))
        return process

    @property
    def pid(self) -> int | None:
        """The id of its process."""
        return self._process.pid if self._process is not None else None

    def kill(self) -> None:
        """Kill it; whoever waits for its answer sees it end."""
        if self._process is not None:
            self._process.kill()

    def ask(self, task: worker.Task, timeout_s: float, stop: Stop) -> Answer:
        """Send a task and wait for its answer; ``usable`` says whether the worker can take another.

        Raises:
            _NotBegunError: it had ended before it took the task.
            JobTimeout: it was killed at the deadline.
            _EndedError: it ended during the task.
        """
        self.usable = False
        self.runs += 1
        try:
            if self._process is None:
                self._start()
            if not self._ready:
                self._answers.read(_IMPORTED_WITHIN_S)  # a word after the import, which is no part of the run
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
        self.usable = not stop.requested  # else it was killed just after it answered, and must not get another's run
        return answer

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


def _cancelled() -> JobCancelled:
    return JobCancelled("the run was cancelled")


def _crashed(exit_code: int | None) -> SimulatorCrashed:
    if exit_code is not None and exit_code < 0:
        name = next((known.name for known in signal.Signals if known == -exit_code), f"signal {-exit_code}")
        why = " (out of memory, or killed from outside)" if name == "SIGKILL" else ""
        how = f"was ended by {name}{why}"
    else:
        how = f"ended with exit code {exit_code}"
    return SimulatorCrashed(f"the simulator's process {how} during this run", exit_code=exit_code)
