"""The door's handle on the process of a comparison, and the processes that check requests."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Callable

import msgspec

from gateway.door.comparisons.channel import Channel, Checked, Kind, Task, dump
from gateway.errors import BusyError, GatewayError, JobTimeout
from gateway.execution.fair_queue import WaitingQueue
from gateway.execution.worker_process import ForkServer, WorkerProcess
from gateway.protocol import problem
from gateway.protocol.door import ComparisonLimits

MODULE = "gateway.door.comparisons.process"
ENTRY = f"{MODULE}:serve"

_LOOK_EVERY_S = 0.1
_SENT_WITHIN_S = 30.0
_KILLED_WITHIN_S = 5.0
_CHECKERS = 2


class ComparisonProcess:
    """A process that checks requests, or runs one comparison; one thread reads from it.

    Args:
        process: the process, which has begun.
    """

    def __init__(self, process: WorkerProcess) -> None:
        self._process = process
        self._channel = Channel(process.pipe)

    @property
    def pid(self) -> int | None:
        """The id of the process."""
        return self._process.pid

    def give(self, kind: Kind, task: bytes) -> None:
        """Send a task.

        Raises:
            OSError: the process has ended.
        """
        self._process.pipe.settimeout(_SENT_WITHIN_S)
        self._channel.send(kind, task)
        self._process.pipe.settimeout(_LOOK_EVERY_S)

    def read(self) -> tuple[Kind, bytes] | None:
        """Return what the process has sent; ``None`` if nothing came within a moment.

        Raises:
            EOFError: the process has ended, and all that it had sent was read.
        """
        has_ended = self._process.has_ended()
        try:
            return self._channel.receive()
        except TimeoutError:
            if has_ended:  # something that it has left behind keeps the pipe open
                raise EOFError from None
            return None
        except OSError as exc:
            raise EOFError from exc

    def interrupt(self) -> None:
        """Ask the process to save what has finished, and to end."""
        with contextlib.suppress(OSError):
            self._channel.send(Kind.INTERRUPT)

    def kill(self) -> None:
        """Kill the process."""
        self._process.kill()

    def end(self, wait_s: float = 0) -> int | None:
        """Make sure that the process has ended, within a time before it is killed; return its exit code."""
        exit_code = self._process.end(wait_s, _KILLED_WITHIN_S)
        self._process.close()
        return exit_code


def start_process(fork_server: ForkServer, is_closed: Callable[[], bool]) -> ComparisonProcess | None:
    """Start a process, for as long as that takes; return ``None`` if it is wanted no more."""
    while not is_closed():
        try:
            process = fork_server.start_worker()
        except OSError:  # no process or descriptor is left for the moment
            time.sleep(_LOOK_EVERY_S)
            continue
        while not process.has_begun() and not process.has_ended():
            if is_closed() or fork_server.restart_if_hung(process):
                break
            process.wait_for_news(_LOOK_EVERY_S)
        if process.has_begun():
            return ComparisonProcess(process)
        process.end(0, _KILLED_WITHIN_S)
        process.close()
        time.sleep(_LOOK_EVERY_S)  # a fork server that ends at once must not be started at full speed
    return None


class Checkers:
    """Checks requests in processes that are killed if they take too long; callers take turns.

    Args:
        fork_server: starts the processes.
        limits: say how long a check may take.
    """

    def __init__(self, fork_server: ForkServer, limits: ComparisonLimits) -> None:
        self._fork_server = fork_server
        self._limits = limits
        self._places: WaitingQueue[_Checker] = WaitingQueue()
        self._is_closed = False
        self._all = [_Checker() for _ in range(_CHECKERS)]
        for checker in self._all:
            self._places.give(checker)

    def check(self, task: Task, caller: str) -> Checked:
        """Return what is known of a request before anything runs.

        Raises:
            GatewayError: the request is refused, see :func:`gateway.door.comparisons.checking.check`.
            JobTimeout: the check takes too long.
            BusyError: others are checked for as long, or the door ends.
        """
        try:
            checker = self._places.take(caller, self._limits.check_s)
        except TimeoutError:
            raise BusyError("too many requests are checked at this moment: try again", retry_after_s=5.0) from None
        if checker is None:
            raise BusyError("the door is stopping", retry_after_s=5.0)
        try:
            return self._check(checker, dump(task))
        finally:
            self._places.give(checker)

    def _check(self, checker: _Checker, task: bytes) -> Checked:
        deadline = time.monotonic() + self._limits.check_s
        for _ in range(2):  # a process that has ended since the last check is no fault of this request
            is_new = checker.process is None
            process = checker.process = checker.process or start_process(self._fork_server, self._has_to_end(deadline))
            if process is None:
                raise self._too_slow()
            try:
                process.give(Kind.CHECK, task)
                return self._answer(checker, process, deadline)
            except GatewayError:  # some of which are OSErrors, too
                raise
            except (EOFError, OSError):
                exit_code = checker.end()
                if self._is_closed:
                    raise self._too_slow() from None
                if is_new:
                    break
        raise GatewayError(f"the process that reads circuits {how_it_ended(exit_code)}: send fewer or smaller ones")

    def _answer(self, checker: _Checker, process: ComparisonProcess, deadline: float) -> Checked:
        while (frame := process.read()) is None:
            if self._has_to_end(deadline)():
                checker.end()
                raise self._too_slow()
        kind, body = frame
        if kind is Kind.CHECKED:
            return msgspec.msgpack.decode(body, type=Checked)
        raise problem.parse(body, GatewayError.status, "the process that reads circuits")

    def _has_to_end(self, deadline: float) -> Callable[[], bool]:
        return lambda: self._is_closed or time.monotonic() > deadline

    def _too_slow(self) -> GatewayError:
        if self._is_closed:
            return BusyError("the door is stopping", retry_after_s=5.0)
        seconds = self._limits.check_s
        return JobTimeout(f"reading the circuits took longer than {seconds:g} s: send smaller ones", timeout_s=seconds)

    def close(self) -> None:
        """End the processes."""
        self._is_closed = True
        self._places.close()
        for checker in self._all:
            checker.end()


class _Checker:
    """A place for a process that checks."""

    def __init__(self) -> None:
        self.process: ComparisonProcess | None = None

    def end(self) -> int | None:
        """End the process, and return its exit code."""
        process, self.process = self.process, None
        return None if process is None else process.end()


def how_it_ended(exit_code: int | None) -> str:
    """Return the end of a sentence about a process."""
    if exit_code is not None and exit_code < 0:
        name = next((each.name for each in signal.Signals if each == -exit_code), f"signal {-exit_code}")
        why = " (out of memory, or killed from outside)" if name == "SIGKILL" else ""
        return f"was ended by {name}{why}"
    return f"ended with exit code {exit_code}"
