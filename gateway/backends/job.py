"""Job: a handle on a run that is under way, in this process or elsewhere."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, cast

from gateway.errors import AuthenticationError, GatewayError, JobCancelled, JobNotFound, JobTimeout
from gateway.results import JobState, Progress, Result

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.001, 5.0
"""Seconds between two looks at a job whose end somebody wants to hear of."""

log = logging.getLogger("gateway")


def awaited(future: Future[T], timeout_s: float | None) -> T:
    """Return the result of a run in a thread of this process.

    Raises:
        JobTimeout: the result was not there within ``timeout_s``; the run goes on.
    """
    try:
        return future.result(timeout_s)
    except FutureTimeoutError as exc:
        if future.done():  # the error is that of the run, or the run ended a moment ago
            return future.result()
        raise JobTimeout(f"no result after {timeout_s:g} s; the run goes on", timeout_s=timeout_s) from exc


class Job(ABC, Generic[T]):
    """A run that is under way.

    Attributes:
        id: the name of the job. Where a server keeps the job, ``backend.job(id)`` returns it in other processes too.
    """

    id: str

    _callbacks: list[Callable[[Any], object]] | None = None
    """What is called at the end of the job, once a thread waits for it; nothing any more when that has come."""

    @abstractmethod
    def status(self) -> JobState:
        """Return the job's state now."""

    @abstractmethod
    def result(self, timeout_s: float | None = None) -> T:
        """Wait for the result.

        Raises:
            JobTimeout: the result was not there within ``timeout_s``; the run goes on.
            JobCancelled: the job was cancelled.
            GatewayError: the run failed; the error says why.
        """

    def outcomes(self, timeout_s: float | None = None) -> list[Any]:
        """Wait for the end of the job, and return the outcome or the error of each circuit, in order.

        Where a machine runs the circuits of a job as one, the error of one is that of all.

        Raises:
            JobTimeout: the job did not end within ``timeout_s``; it goes on.
        """
        try:
            result = self.result(timeout_s)
        except GatewayError as exc:
            if isinstance(exc, JobTimeout) and not self.done():
                raise
            return [exc] * self.progress().total
        return result if isinstance(result, list) else [result]

    @abstractmethod
    def cancel(self) -> bool:
        """Cancel the job unless it has ended, and return whether it is cancelled now."""

    @abstractmethod
    def progress(self) -> Progress:
        """Return how many of the job's circuits are done."""

    def done(self) -> bool:
        """Return whether the job has ended, which means that it is done, failed or cancelled."""
        return self.status().ended

    def glance(self) -> tuple[JobState, Progress]:
        """Return state and progress without patience: a machine that does not answer is an error at once."""
        return self.status(), self.progress()

    def results(self, timeout_s: float | None = None) -> Iterator[Result]:
        """Yield the result of each circuit in order, as soon as it is there, without keeping it.

        Where the backend gives all results of a job at once, that is at its end.

        Args:
            timeout_s: seconds within which all results have to come.

        Raises:
            JobTimeout, JobCancelled, GatewayError: as :meth:`result`, at the circuit that they are about.
        """
        outcome = self.result(timeout_s)
        yield from cast("list[Result]", outcome) if isinstance(outcome, list) else [cast("Result", outcome)]

    def add_done_callback(self, function: Callable[[Self], object]) -> None:
        """Call a function with this job once the job is done, failed or cancelled.

        As with the futures of :mod:`concurrent.futures`, it is called at once if the job has ended already, and
        otherwise in another thread. An exception that it raises is logged. It is also called once the job's machine
        does not know the job, or its user, any more; :meth:`result` says so then.
        """
        with _CALLBACKS:
            if self._callbacks is not None:  # a thread waits already
                self._callbacks.append(function)
                return
        if self._has_ended():
            _call(function, self)
            return
        with _CALLBACKS:
            is_first = self._callbacks is None
            self._callbacks = [*(self._callbacks or ()), function]
        if is_first:
            threading.Thread(target=self._tell_of_end, name=f"gateway-end-of-{self.id}", daemon=True).start()

    def _has_ended(self) -> bool:
        """Return whether the job has ended; one that the machine has forgotten has."""
        try:
            return self.done()
        except JobNotFound:
            return True

    def _tell_of_end(self) -> None:
        """Wait for the end of the job, however long its machine cannot be reached, and call what wants to know.

        A machine that has forgotten the job, or lets its user ask no more, will not tell: nobody waits for it.
        """
        is_reachable = True
        while True:
            try:
                self.wait_for_end()
                break
            except (JobNotFound, AuthenticationError):
                break
            except GatewayError as exc:
                if is_reachable:
                    log.warning("the end of job %s cannot be seen, and is looked for again: %s", self.id, exc.message)
                is_reachable = False
                time.sleep(_LONGEST_PAUSE_S)
        with _CALLBACKS:
            callbacks, self._callbacks = self._callbacks or [], None
        for function in callbacks:
            _call(function, self)

    def wait_for_end(self) -> None:
        """Wait until the job is done, failed or cancelled."""
        pause_s = _FIRST_PAUSE_S
        while not self.done():
            time.sleep(pause_s)
            pause_s = min(pause_s * 1.5, _LONGEST_PAUSE_S)

    def __await__(self) -> Generator[Any, None, T]:
        """Wait for the result in a coroutine, ``await job``; whoever is cancelled meanwhile leaves the job going on."""
        import asyncio  # noqa: PLC0415 - a program without coroutines need not load it

        loop = asyncio.get_running_loop()
        ended: asyncio.Future[None] = loop.create_future()

        def tell(_: object) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(_set, ended)

        self.add_done_callback(tell)
        yield from ended
        return (yield from asyncio.to_thread(self.result).__await__())

    def watch(self, interval_s: float = 0.5) -> None:
        """Wait for the end of the job, and show it in a notebook, redrawn in place, until then.

        An interrupt ends the watching, and the job goes on.

        Args:
            interval_s: seconds from one look at the job to the next.
        """
        from gateway.backends.notebook import watch  # noqa: PLC0415 - a program without a notebook shows nothing

        watch(self, interval_s)

    def _repr_html_(self) -> str:
        from gateway.backends.notebook import show_job  # noqa: PLC0415 - a program without a notebook shows nothing

        return show_job(self)


_CALLBACKS = threading.Lock()
"""Held while the functions that are called at the end of a job change."""


def _call(function: Callable[[Any], object], job: object) -> None:
    try:
        function(job)
    except Exception:
        log.exception("a function that was to be called at the end of a job failed")


def _set(future: asyncio.Future[None]) -> None:
    if not future.done():  # who awaited the job may have been cancelled
        future.set_result(None)


class LocalJob(Job[T]):
    """A run in a thread of this process, for backends whose machine keeps no jobs.

    Args:
        future: the future of the run.
        total: the number of circuits of the run.
        cancelled: the event that :meth:`cancel` sets; a run that checks it can be cancelled half-way.
    """

    def __init__(self, future: Future[T], total: int = 1, cancelled: threading.Event | None = None) -> None:
        self.id = secrets.token_urlsafe(16)
        self._future = future
        self._total = total
        self._cancel_event = cancelled

    def status(self) -> JobState:
        """Return the job's state now."""
        if self._future.cancelled():
            return JobState.CANCELLED
        if self._future.done():
            error = self._future.exception()
            if error is None:
                return JobState.DONE
            return JobState.CANCELLED if isinstance(error, JobCancelled) else JobState.FAILED
        return JobState.RUNNING if self._future.running() else JobState.QUEUED

    def result(self, timeout_s: float | None = None) -> T:
        """Wait for the result."""
        if self._future.cancelled():
            raise JobCancelled("the job was cancelled")
        return awaited(self._future, timeout_s)

    def cancel(self) -> bool:
        """Cancel the job: at once if its run has not begun, and otherwise only if the run can be stopped."""
        if self._future.cancel():
            return True
        if self._cancel_event is not None and not self._future.done():
            self._cancel_event.set()
            self._future.exception()  # waits until the run has noticed the event
        return self.status() is JobState.CANCELLED

    def progress(self) -> Progress:
        """Return how many of the job's circuits are done: none or all."""
        return Progress(self._total if self.status() is JobState.DONE else 0, self._total)

    def add_done_callback(self, function: Callable[[Self], object]) -> None:
        """Call a function with this job at its end, as :meth:`Job.add_done_callback` does, without another thread."""
        self._future.add_done_callback(lambda _: _call(function, self))
