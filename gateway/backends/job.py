"""Job: a handle on a run under way, wherever it runs."""

from __future__ import annotations

import secrets
import threading
from abc import ABC, abstractmethod
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Generic, TypeVar

from gateway.errors import JobCancelled, JobTimeout
from gateway.results import JobState, Progress

T = TypeVar("T")


class Job(ABC, Generic[T]):
    """A run that is under way.

    Attributes:
        id: names it; ``backend.job(id)`` finds a server's job again, from another process too.
    """

    id: str

    @abstractmethod
    def status(self) -> JobState:
        """Return the job's state now."""

    @abstractmethod
    def result(self, timeout_s: float | None = None) -> T:
        """Wait for the result.

        Raises:
            JobTimeout: not there within ``timeout_s``; the run goes on.
            JobCancelled: it was cancelled.
            GatewayError: whatever made the run fail.
        """

    @abstractmethod
    def cancel(self) -> bool:
        """Cancel the job unless it has ended; say whether it is cancelled now."""

    @abstractmethod
    def progress(self) -> Progress:
        """Return how many of the job's circuits are done."""

    def done(self) -> bool:
        """Whether the job has ended: it is done, failed or cancelled."""
        return self.status().ended


class LocalJob(Job[T]):
    """A run in a thread of this process: for backends whose machine keeps no jobs.

    Args:
        future: of the run.
        total: how many circuits it has.
        cancelled: set when somebody wants it to end; a run that looks at it can be cancelled half-way.
    """

    def __init__(self, future: Future[T], total: int = 1, cancelled: threading.Event | None = None) -> None:
        self.id = secrets.token_urlsafe(16)
        self._future = future
        self._total = total
        self._cancelled = cancelled

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
        """Cancel the job: at once if it has not begun, otherwise only if its run can be stopped."""
        if self._future.cancel():
            return True
        if self._cancelled is not None and not self._future.done():
            self._cancelled.set()
            self._future.exception()  # waits until the run has seen it
        return self.status() is JobState.CANCELLED

    def progress(self) -> Progress:
        """Return how many of the job's circuits are done: none or all."""
        return Progress(self._total if self.status() is JobState.DONE else 0, self._total)
