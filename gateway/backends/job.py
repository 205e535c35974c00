"""Job: a handle on a run that is under way, in this process or elsewhere."""

from __future__ import annotations

import secrets
import threading
from abc import ABC, abstractmethod
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any, Generic, TypeVar

from gateway.errors import GatewayError, JobCancelled, JobTimeout
from gateway.results import JobState, Progress

T = TypeVar("T")


class Job(ABC, Generic[T]):
    """A run that is under way.

    Attributes:
        id: the name of the job. Where a server keeps the job, ``backend.job(id)`` returns it in other processes too.
    """

    id: str

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
        try:
            return self._future.result(timeout_s)
        except FutureTimeoutError as exc:
            if self._future.done():
                raise
            raise JobTimeout(f"no result after {timeout_s} s; the run goes on", timeout_s=timeout_s) from exc

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
