"""A pool of killable worker processes, each with the simulator imported once.

Most simulators hold the GIL while they run, so a thread could neither be timed out nor let others
answer. The HTTP thread that has a request takes an idle worker, sends it the request and waits for
the answer, the deadline or the end of the process, whichever comes first. A worker that passes its
deadline is killed and replaced; a worker that crashes fails its own request and nobody else's. The
processes come from a fork server that has only imported the simulator and never run it, because
forking after a run can hang.

A deadline and a cancel reach a run wherever it is: while it waits for a worker, while its request is sent, and while it
runs. A worker is handed out once it is ready, and the threads that wait for that hold up nobody.
"""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

from gateway.claims import ACCOUNT
from gateway.errors import (
    BusyError,
    GatewayError,
    JobCancelled,
    JobStoreError,
    JobTimeout,
    OutOfMemory,
    SimulatorCrashed,
)
from gateway.execution.advice import advice_on_time
from gateway.execution.answers import READY, AnswerReader, Ending, OutOfTurnError
from gateway.execution.fair_queue import WaitingQueue
from gateway.execution.memory import KillsForMemory, Note
from gateway.execution.runner import Answer, Runner
from gateway.execution.worker import Describe, Run, Target, Task, Undo
from gateway.execution.worker_process import IMPORTED_WITHIN_S, ForkServer, Keeper
from gateway.protocol.encodings import Encoding
from gateway.protocol.messages import ServerLimits

_STARTS = 3
"""How many workers in a row may end before they take a request."""

_DAMAGED = "damaged"
"""Why a worker is replaced whose function left it unfit for another run."""

_RECYCLED = "recycled"
"""Why a worker is replaced that has done as many runs as it may, or whose fork server has ended."""

_LESS = {"operations": "operations", "shots": "shots", "outcomes": "shots or clbits", "branches": "measurements"}
"""What most of the memory was claimed for -> what to ask less of."""

_OK = 200
_CHECK_EVERY_S = 0.1
_READY_WITHIN_S = 120.0
_DESCRIBED_WITHIN_S = 30.0
_UNDONE_WITHIN_S = 60.0
_UNDONE_AT_THE_END_WITHIN_S = 3.0
_ENDS_WITHIN_S = 2.0

log = logging.getLogger("gateway")


class Stop:
    """Ends a run from outside by killing its process, or those of its parts, whatever they are doing."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kills: list[Callable[[], None]] = []
        self.requested = False

    def request(self) -> None:
        """End the run, now or as soon as it begins."""
        with self._lock:
            self.requested = True
            for kill in self._kills:
                kill()

    @contextlib.contextmanager
    def watching(self, kill: Callable[[], None]) -> Iterator[None]:
        """Let :meth:`request` call a function that kills the process, for as long as the block lasts."""
        with self._lock:
            self._kills.append(kill)
            if self.requested:
                kill()
        try:
            yield
        finally:
            with self._lock:
                self._kills.remove(kill)


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
    def idle(self) -> int:
        """How many workers could take parts of a run at this moment; 1 where it has to be run as a whole."""

    @property
    def replaced(self) -> Mapping[str, int]:
        """Why workers were replaced -> how often."""

    def pids(self) -> list[int]:
        """Return the ids of the worker processes."""

    def run(
        self,
        body: bytes,
        token: str | None,
        timeout_s: float,
        *,
        caller: str = "",
        stop: Stop | None = None,
        encoding: Encoding = Encoding.JSON,
    ) -> Answer:
        """Run a RunRequest and return its answer.

        Args:
            body: the request.
            token: of the caller, for a function that takes one.
            timeout_s: how many seconds the run may take before it is killed. They include the wait for a worker, and
                sending; they begin now or, while the server starts, when the simulator is imported.
            caller: who sent the request; callers that wait for a worker take turns.
            stop: ends the run from outside. A run with a stop waits for a worker until its deadline, a run without
                one for ``max_wait_s`` at most. How many may wait is for the caller of this method to say.
            encoding: how results are written; problems are in JSON.

        Raises:
            JobTimeout, JobCancelled, SimulatorCrashed, OutOfMemory, BusyError, JobStoreError: there is no answer.
        """

    def describe(self) -> Answer:
        """Return the BackendInfo, after waiting until the simulator is imported."""

    def close(self) -> None:
        """End all work."""


class InlineExecutor:
    """Runs requests in the caller's thread, without isolation, for tests and debugging."""

    ready = True
    workers = 1
    idle = 1
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
        encoding: Encoding = Encoding.JSON,
    ) -> Answer:
        """Run at once. The run has no deadline and cannot be stopped once it has begun."""
        if stop is not None and stop.requested:
            raise _cancellation()
        return self.runner.run(body, token, encoding=encoding)

    def describe(self) -> Answer:
        """Return the BackendInfo."""
        return self.runner.describe()

    def close(self) -> None:
        """Do nothing, since no process has to end."""


class WorkerPool:
    """Runs requests in worker processes.

    Args:
        target: what the workers load.
        limits: a worker that has done ``runs_per_worker`` runs is replaced by a new one.
        workers: number of processes.
        fork_server: the process that imports the simulator; by default one is started.
        folder: where large answers are kept until they are sent or stored; by default the system's folder for
            temporary files.

    Attributes:
        replaced: why workers were replaced -> how often.
    """

    def __init__(
        self,
        target: Target,
        limits: ServerLimits,
        workers: int,
        *,
        fork_server: ForkServer | None = None,
        folder: str | os.PathLike[str] | None = None,
    ) -> None:
        self._target = target
        self._limits = limits
        self.workers = workers
        self._folder = folder
        self._fork_server = fork_server or ForkServer(target.module)
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._description: Answer | None = None
        self._workers_started = threading.Event()
        self._alive: set[_Worker] = set()
        self._undoing: set[threading.Thread] = set()
        self._free_workers: WaitingQueue[_Worker] = WaitingQueue()
        self._memory = KillsForMemory()
        self.replaced: Counter[str] = Counter()
        self._fork_server.on_replaced = self._recycle_idle
        # A worker starts only after its simulator is imported; until then the server already answers that it is alive.
        for number in range(workers):
            start = self._add_worker if number else self._start
            threading.Thread(target=start, name="gateway-start", daemon=True).start()

    def _start(self) -> None:
        """Start a worker and ask it what it serves, before the first run, which may be a long one."""
        try:
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

    @property
    def idle(self) -> int:
        """How many workers of a simulator are free; a function or a backend takes all points together."""
        return 1 if self._target.path is None else max(self._free_workers.free, 1)

    def pids(self) -> list[int]:
        """Return the ids of the worker processes."""
        with self._lock:
            return [worker.pid for worker in self._alive if worker.pid is not None]

    def run(
        self,
        body: bytes,
        token: str | None,
        timeout_s: float,
        *,
        caller: str = "",
        stop: Stop | None = None,
        encoding: Encoding = Encoding.JSON,
    ) -> Answer:
        """Run a request in a worker."""
        task = Run(body, token, encoding)
        self._wait_for_start(stop)
        return self._ask(task, timeout_s, caller=caller, stop=stop)

    def _wait_for_start(self, stop: Stop | None) -> None:
        """Wait until the simulator is imported at the start of the server, which counts against no deadline.

        Raises:
            JobCancelled: the run was cancelled meanwhile.
        """
        until = time.monotonic() + IMPORTED_WITHIN_S
        while not self._workers_started.wait(_CHECK_EVERY_S) and time.monotonic() < until:
            if stop is not None and stop.requested:
                raise _cancellation()

    def describe(self) -> Answer:
        """Ask a worker what it serves; while all workers are busy, return the last answer instead."""
        answer = self._description
        if answer is None or self._free_workers.has_free:
            within_s = self._limits.timeout_s if answer is None else min(_DESCRIBED_WITHIN_S, self._limits.timeout_s)
            answer = self._ask(Describe(), within_s)
            if answer.status == _OK:
                self._description = answer
        return answer

    def _ask(self, task: Task, timeout_s: float, *, caller: str = "", stop: Stop | None = None) -> Answer:
        deadline = time.monotonic() + timeout_s
        ending = Ending(deadline, lambda: stop is not None and stop.requested)
        try:
            return self._ask_somebody(task, ending, caller, stop)
        except TimeoutError as exc:
            if isinstance(exc, GatewayError):
                raise
            advice = "ask for a longer timeout_s"
            if isinstance(task, Run):
                advice = advice_on_time(task.body, runs_circuits=self._target.path is not None)
            raise JobTimeout(
                f"the run took longer than {timeout_s:g} s and was killed: {advice}", timeout_s=timeout_s
            ) from None
        except _NoWorkerError:
            raise JobTimeout(
                f"no worker became free within the {timeout_s:g} s of the run: ask for a longer timeout_s, or later",
                timeout_s=timeout_s,
            ) from None

    def _ask_somebody(self, task: Task, ending: Ending, caller: str, stop: Stop | None) -> Answer:
        """Give a task to the next worker that takes it.

        Raises:
            TimeoutError, _NoWorkerError: the deadline passed during the task, or before it began.
            GatewayError: there is no answer, for another reason.
        """
        for _ in range(_STARTS + self.workers):
            worker = self._take(caller, ending, stop)
            if ending.is_cancelled():  # it was cancelled while it waited for a worker
                self._free_workers.give(worker)
                raise _cancellation()
            why, kills = "ended", self._memory.note()
            try:
                answer = worker.ask(task, ending, stop or Stop())
            except _NotBegunError:
                continue
            except TimeoutError:
                why = JobTimeout.code
                raise
            except (_EndedError, InterruptedError) as exc:
                why = JobCancelled.code
                if ending.is_cancelled():
                    raise _cancellation() from exc
                error = self._cause_of_end(exc, worker.pid, kills)
                why = error.code
                raise error from exc
            except JobStoreError as exc:
                why = exc.code
                raise
            else:
                why = JobCancelled.code if ending.is_cancelled() else _DAMAGED
                return answer
            finally:
                self._give_back(worker, why)
        raise SimulatorCrashed("the simulator's processes keep ending before they can run anything")

    def _take(self, caller: str, ending: Ending, stop: Stop | None) -> _Worker:
        """Return an idle worker when it is the caller's turn.

        Raises:
            _NoWorkerError: the deadline passed.
            JobCancelled: the run was cancelled.
            BusyError: no worker became idle in time, or the pool is closed.
        """
        until_deadline_s, max_wait_s = max(0.0, ending.remaining_s), self._limits.max_wait_s
        is_wanted = None if stop is None else lambda: not ending.is_cancelled()
        waits_for_deadline = stop is not None or until_deadline_s <= max_wait_s
        try:
            worker = self._free_workers.take(caller, until_deadline_s if waits_for_deadline else max_wait_s, is_wanted)
        except TimeoutError:
            if ending.is_cancelled():
                raise _cancellation() from None
            if waits_for_deadline:
                raise _NoWorkerError from None
            raise BusyError(
                f"no worker became free within {max_wait_s:g} s: try again later", retry_after_s=max_wait_s
            ) from None
        if worker is None:
            raise BusyError("the server is stopping", retry_after_s=1.0)
        return worker

    def _give_back(self, worker: _Worker, why: str) -> None:
        """Pass a worker on to the next in line, or replace it if it ended or should have no other run."""
        if worker.usable and worker.runs < self._limits.runs_per_worker and not self._is_left_over(worker):
            self._hand_out(worker)
            return
        with self._lock:
            self._alive.discard(worker)
            self.replaced[_RECYCLED if worker.usable else why] += 1
        threading.Thread(target=self._replace, args=(worker,), name="gateway-replace", daemon=True).start()
        if worker.left_behind and not self._closed.is_set():
            self._undo(worker.left_behind)

    def _replace(self, worker: _Worker) -> None:
        worker.end()
        keeper = worker.keeper
        if keeper is not None and not worker.is_below(self._fork_server):
            worker.close()
            keeper = None
        self._add_worker(keeper)

    def _hand_out(self, worker: _Worker) -> None:
        self._free_workers.give(worker)
        if self._is_left_over(worker):  # its fork server was replaced meanwhile
            self._recycle_idle()

    def _recycle_idle(self) -> None:
        """Replace the idle workers of a fork server that has ended."""
        for worker in self._free_workers.take_free(self._is_left_over):
            self._give_back(worker, _RECYCLED)

    def _is_left_over(self, worker: _Worker) -> bool:
        """Return whether another fork server has taken the place of the one that forked a worker, which can run."""
        return worker.usable and not worker.is_below(self._fork_server)

    def _cause_of_end(self, exc: Exception, pid: int | None, kills: Note) -> SimulatorCrashed | OutOfMemory:
        """Return the error for a worker that ended; ``kills`` is what was known when its run began."""
        if not isinstance(exc, _EndedError):
            return SimulatorCrashed("the run was ended")
        if exc.reason:
            return SimulatorCrashed(f"the simulator's process was ended during this run: {exc.reason}")
        for_memory = self._memory.accounts_for(pid, kills) if exc.exit_code == -signal.SIGKILL else False
        if for_memory is False:
            return _crash(exc.exit_code)
        part = ACCOUNT.part_of(pid) if pid is not None else ""
        what = f", mostly for its {part}" if part else ""
        how = "was killed because memory ran out" if for_memory else "was killed, most likely because memory ran out"
        return OutOfMemory(f"the simulator's process {how}{what}: ask for fewer {_LESS.get(part, 'qubits')}")

    def _add_worker(self, keeper: Keeper | None = None) -> None:
        """Start a worker, and hand it out once it is ready, or has ended: whoever takes that one starts the next."""
        worker = self._start_worker(keeper)
        if worker is not None:
            self._hand_out(worker)

    def _start_worker(self, keeper: Keeper | None) -> _Worker | None:
        """Start a worker and wait until it is ready or has ended; ``None`` if the pool is closed.

        A fork server or a keeper that hangs is replaced, for as long as it takes.
        """
        while not self._closed.is_set():
            worker, keeper = self._ask_for_worker(keeper), None
            if worker is None:
                self._closed.wait(_CHECK_EVERY_S)  # no process or descriptor is left for the moment
            elif worker.wait_until_ready(self._fork_server, self._closed.is_set):
                return worker
            else:
                self._forget(worker)
        if keeper is not None:
            keeper.channel.close()
        return None

    def _ask_for_worker(self, keeper: Keeper | None) -> _Worker | None:
        with contextlib.suppress(OSError), self._lock:
            if not self._closed.is_set():
                worker = _Worker(self._fork_server, self._target, self._limits, self._folder, keeper)
                self._alive.add(worker)
                return worker
        return None

    def _forget(self, worker: _Worker) -> None:
        with self._lock:
            self._alive.discard(worker)
        worker.end()
        worker.close()

    # ------------------------------------------------------------------ what a killed run leaves behind

    def _undo(self, names: list[str]) -> None:
        """Cancel what a run that was killed had started outside this machine, in a thread and a worker for that."""
        thread = threading.Thread(target=self._undo_now, args=(tuple(names),), name="gateway-undo", daemon=True)
        with self._lock:
            self._undoing.add(thread)
        thread.start()

    def _undo_now(self, names: tuple[str, ...]) -> None:
        try:
            worker = _Worker(self._fork_server, self._target, self._limits, self._folder)
            try:
                worker.wait_until_ready(self._fork_server, lambda: False)
                answer = worker.ask(Undo(names), Ending(time.monotonic() + _UNDONE_WITHIN_S), Stop())
            finally:
                worker.end()
                worker.close()
            if answer.status != _OK:
                log.warning("what a killed run had started goes on: %s", ", ".join(names))
        except Exception:
            log.exception("what a killed run had started goes on: %s", ", ".join(names))
        finally:
            with self._lock:
                self._undoing.discard(threading.current_thread())

    def close(self) -> None:
        """Kill the workers, and give what has to be cancelled elsewhere a moment."""
        with self._lock:
            self._closed.set()
            alive, self._alive = self._alive, set()
        self._free_workers.close()
        for worker in alive:
            worker.kill()
        started = [name for worker in alive for name in worker.started]
        if started:
            self._undo(started)
        for worker in alive:
            worker.end()
            worker.close()
        deadline = time.monotonic() + _UNDONE_AT_THE_END_WITHIN_S
        for thread in list(self._undoing):
            thread.join(max(0.0, deadline - time.monotonic()))
        self._fork_server.close()


class _NoWorkerError(Exception):
    """The deadline of a task passed before a worker took it."""


class _NotBegunError(Exception):
    """The worker had ended before it took the task."""


class _EndedError(Exception):
    """The worker ended during the task.

    Args:
        exit_code: of its process.
        reason: why the server ended it; empty if it ended by itself.
    """

    def __init__(self, exit_code: int | None, reason: str = "") -> None:
        super().__init__(exit_code, reason)
        self.exit_code = exit_code
        self.reason = reason


class _Worker:
    """One worker process and the pipe to it. Only one thread uses it at a time.

    Attributes:
        usable: whether it can take a task.
        runs: how many tasks it was given.
        left_behind: the ids of what its last run has started elsewhere, if the run was ended.
    """

    def __init__(
        self,
        fork_server: ForkServer,
        target: Target,
        limits: ServerLimits,
        folder: str | os.PathLike[str] | None,
        keeper: Keeper | None = None,
    ) -> None:
        self._loads = pickle.dumps((target, limits, folder))
        self._process = fork_server.start_worker(keeper)
        self._answers = AnswerReader(self._process.pipe, self._process.has_ended, folder)
        self.usable = False
        self.runs = 0
        self.left_behind: list[str] = []

    @property
    def pid(self) -> int | None:
        """The id of the worker's process."""
        return self._process.pid

    def is_below(self, fork_server: ForkServer) -> bool:
        """Return whether the process that forked it is a child of the fork server, not of one before."""
        return fork_server.is_above(self._process)

    def kill(self) -> None:
        """Kill the process; the thread that waits for its answer notices that it ended."""
        self._process.kill()

    def wait_until_ready(self, fork_server: ForkServer, is_closed: Callable[[], bool]) -> bool:
        """Wait until the simulator is loaded or the process has ended, as ``usable`` then says.

        Returns:
            False if the fork server hung, and was replaced, or the pool was closed.
        """
        ending = Ending(time.monotonic() + IMPORTED_WITHIN_S + _READY_WITHIN_S)
        try:
            while not self._process.has_begun() and not self._process.has_ended():
                if is_closed() or fork_server.restart_if_hung(self._process):
                    return False
                self._process.wait_for_news(_CHECK_EVERY_S)
            self._answers.send(READY, self._loads, ending)
            self._answers.read(READY, ending)
            self.usable = True
        except (EOFError, OSError, OutOfTurnError):  # a TimeoutError is one of these
            self.end()
        return True

    def ask(self, task: Task, ending: Ending, stop: Stop) -> Answer:
        """Send a task and wait for its answer; ``usable`` says whether the worker can take another.

        Raises:
            _NotBegunError: the worker had ended before it took the task.
            TimeoutError: the worker was killed at the deadline.
            _EndedError, InterruptedError: the worker ended during the task.
            JobStoreError: the answer is large, and could not be kept; the worker was killed.
        """
        was_usable, self.usable = self.usable, False
        self.runs += 1
        try:
            with stop.watching(self.kill):
                answer = self._exchange(task, ending, may_begin=was_usable)
        except BaseException:
            self.left_behind = self.started
            raise
        self._answers.started.clear()
        self.usable = (
            not stop.requested and not self._answers.is_over
        )  # a stop may have killed the worker just after it answered
        return answer

    def _exchange(self, task: Task, ending: Ending, *, may_begin: bool) -> Answer:
        if not may_begin or not self._answers.is_silent:  # what nobody asked for is no answer to this task
            self.end()
            raise InterruptedError if ending.is_cancelled() else _NotBegunError
        try:
            self._answers.send(self.runs, pickle.dumps(task), ending)
        except (TimeoutError, InterruptedError):
            self.end()
            raise
        except (EOFError, OSError) as exc:
            self.end()
            raise (InterruptedError if ending.is_cancelled() else _NotBegunError) from exc
        try:
            return self._answers.read(self.runs, ending)
        except (TimeoutError, InterruptedError, JobStoreError):
            self.end()
            raise
        except OutOfTurnError as exc:
            raise _EndedError(self.end(), str(exc)) from exc
        except (EOFError, OSError) as exc:
            raise _EndedError(self.end(_ENDS_WITHIN_S)) from exc

    def end(self, wait_s: float = 0) -> int | None:
        """Make sure that the process has ended, and return its exit code, which is negative for a signal.

        Args:
            wait_s: how many seconds the process has to end by itself before it is killed.
        """
        return self._process.end(wait_s, _ENDS_WITHIN_S)

    @property
    def started(self) -> list[str]:
        """The ids of what the run under way has started outside this machine."""
        return list(self._answers.started)

    @property
    def keeper(self) -> Keeper | None:
        """The process that forked this worker, which has ended, and can fork the next."""
        return self._process.take_keeper()

    def close(self) -> None:
        """End that process; the worker has ended."""
        self._process.close()


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
