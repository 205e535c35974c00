"""ServerJob: a job that a server keeps, and that survives the end of the client and a restart of the server."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

from gateway.backends.base import Outcome
from gateway.backends.job import Job
from gateway.backends.patience import PATIENCE_S, patiently
from gateway.errors import BusyError, GatewayError, JobCancelled, JobTimeout, ResultNotFound, TransportError
from gateway.protocol import problem
from gateway.protocol.messages import ReceivedJob
from gateway.protocol.result_message import result_of
from gateway.results import JobState, Progress, Result

T = TypeVar("T")

POLL_S = 30.0
"""How long the server lets one request wait for the end of a job."""

_PAUSE_S = 1.0

_SHORT_PAUSE_S = 0.1

_SMALL_BYTES = 2**16
"""Results that have no more than this each are fetched several at once, where they come one after the other."""

_TOGETHER_BYTES = 2**23
"""Results up to this size in all are fetched with one request; larger ones of a list, one circuit after the other."""


class Keeper(Protocol):
    """The client of a server that keeps jobs."""

    url: str

    def job_info(self, job_id: str, wait_s: float = 0, *, results: bool = True) -> ReceivedJob:
        """Return the state of a job and, once it has ended, its results, unless they are to be left out."""

    def job_result(self, job_id: str, position: int) -> Result:
        """Return the result of one circuit of a job."""

    def job_results(self, job_id: str, position: int, *, wait_s: float = 0) -> list[Result]:
        """Return some results of a job, of circuits that follow one another; at least the first one."""

    def cancel_job(self, job_id: str) -> ReceivedJob:
        """Cancel a job."""


class ServerJob(Job[Outcome | list[Outcome]]):
    """A job on a server.

    Args:
        keeper: the client of the server.
        info: the latest answer of the server about the job.

    Attributes:
        on_unreachable: a function that is called with each failure to reach the server. It returns the error to raise
            at once, or ``None`` to try again.
    """

    def __init__(self, keeper: Keeper, info: ReceivedJob) -> None:
        self.id = info.id
        self._keeper = keeper
        self._info = info
        self._outcomes: list[Outcome | GatewayError] | None = None
        self.on_unreachable: Callable[[TransportError], GatewayError | None] = lambda _: None

    def __repr__(self) -> str:
        return f"<job {self.id} {self._info.state} at {self._keeper.url}>"

    def status(self) -> JobState:
        """Ask the server for the state of the job."""
        return self._ask(0).state

    def progress(self) -> Progress:
        """Ask the server how many circuits of the job are done."""
        progress = self._ask(0).progress
        return Progress(progress.done, progress.total)

    def glance(self) -> tuple[JobState, Progress]:
        """Ask the server once for state and progress."""
        if not self._info.state.ended:
            self._info = self._keeper.job_info(self.id, results=False)
        return self._info.state, Progress(self._info.progress.done, self._info.progress.total)

    def result(self, timeout_s: float | None = None) -> Outcome | list[Outcome]:
        """Wait for the result; a restart of the server in the meantime does no harm.

        Raises:
            JobTimeout: the result was not there within ``timeout_s``; the job goes on.
            JobCancelled: the job was cancelled.
            TransportError: the server could not be reached for a minute.
            GatewayError: a circuit failed; ``circuit`` is its index in a list. :meth:`outcomes` returns the
                results of the others.
        """
        outcomes = self.outcomes(timeout_s)
        for outcome in outcomes:
            if isinstance(outcome, GatewayError):
                raise outcome
        return outcomes if self._info.is_list else outcomes[0]  # type: ignore[return-value]  # no error is among them

    def outcomes(self, timeout_s: float | None = None) -> list[Outcome | GatewayError]:
        """Wait for the end of the job, and return the outcome or the error of each circuit, in order.

        Raises:
            JobTimeout, TransportError: as :meth:`result`.
        """
        if self._outcomes is None:
            info = self._wait_for_end(timeout_s)
            self._outcomes = self._fetch(info) if info.results is None else self._read(info)
        return self._outcomes

    def _fetch(self, info: ReceivedJob) -> list[Outcome | GatewayError]:
        """Return the outcomes of a job that has ended, which the server has yet to send."""
        if not info.is_list or (info.result_bytes or 0) <= _TOGETHER_BYTES:
            return self._read(self._patiently(lambda: self._keeper.job_info(self.id)))
        if (info.result_bytes or 0) <= _SMALL_BYTES * info.progress.total:
            return list(self._as_they_come(math.inf))
        return [self._fetch_one(position) for position in range(info.progress.total)]

    def results(self, timeout_s: float | None = None) -> Iterator[Result]:
        """Yield the result of each circuit in order, as soon as the server has it; they are not kept here.

        Raises:
            JobTimeout, JobCancelled, TransportError, GatewayError: as :meth:`result`, at the circuit they are about.
        """
        if self._outcomes is None and self._info.is_list:
            outcomes = self._as_they_come(math.inf if timeout_s is None else timeout_s)
        else:
            outcomes = iter(self.outcomes(timeout_s))
        for outcome in outcomes:
            if isinstance(outcome, GatewayError):
                raise outcome
            yield outcome

    def _as_they_come(self, timeout_s: float) -> Iterator[Outcome | GatewayError]:
        """Yield the outcome or the error of each circuit in order, several with one request where they are there.

        Raises:
            JobTimeout: they did not all come in time.
            TransportError: the server could not be reached for a minute.
        """
        deadline, position = time.monotonic() + timeout_s, 0
        while position < self._info.progress.total:
            has_ended = self._info.state.ended
            left_s = max(0.0, deadline - time.monotonic())
            found: Sequence[Outcome | GatewayError]
            try:
                found = self._fetch_from(position, 0 if has_ended else min(left_s, POLL_S))
            except ResultNotFound:
                if has_ended:
                    found = [JobCancelled("the job was cancelled", circuit=position)]
                elif left_s <= 0:
                    raise self._timeout_error(timeout_s) from None
                else:
                    found = []
                    if not self._ask(0).state.ended:  # too many requests wait for the server to let this one wait, too
                        time.sleep(min(left_s, _SHORT_PAUSE_S))
            yield from found
            position += len(found)

    def _fetch_from(self, position: int, wait_s: float) -> Sequence[Outcome | GatewayError]:
        """Return the results of some circuits from one on, or the error of that one."""
        try:
            return self._patiently(lambda: self._keeper.job_results(self.id, position, wait_s=wait_s))
        except ResultNotFound:
            raise
        except GatewayError as exc:
            if exc.circuit != position:  # it is not the problem of the circuit, but of this request
                raise
            return [exc]

    def _fetch_one(self, position: int) -> Outcome | GatewayError:
        try:
            return self._patiently(lambda: self._keeper.job_result(self.id, position))
        except ResultNotFound:
            return JobCancelled("the job was cancelled", circuit=position)
        except GatewayError as exc:
            if exc.circuit != position:  # it is not the problem of the circuit, but of this request
                raise
            return exc

    def _read(self, info: ReceivedJob) -> list[Outcome | GatewayError]:
        errors: dict[int, GatewayError] = {}
        for raw in info.errors or ():
            error = problem.parse(bytes(raw), 500, self._keeper.url)
            errors[error.circuit or 0] = error
        return [
            errors.get(position) or JobCancelled("the job was cancelled", circuit=position if info.is_list else None)
            if result is None
            else result_of(result)
            for position, result in enumerate(info.results or ())
        ]

    def cancel(self) -> bool:
        """Cancel the job unless it has ended, kill its run, and return whether it is cancelled now."""
        self._info = self._keeper.cancel_job(self.id)
        return self._info.state is JobState.CANCELLED

    def wait_for_end(self) -> None:
        """Wait until the job is done, failed or cancelled; the results are not fetched."""
        while not self._ask(POLL_S).state.ended:
            time.sleep(_SHORT_PAUSE_S)

    def _wait_for_end(self, timeout_s: float | None) -> ReceivedJob:
        deadline = math.inf if timeout_s is None else time.monotonic() + timeout_s
        while not self._info.state.ended:
            start = time.monotonic()
            left_s = max(0.0, deadline - start)
            try:
                if self._ask(min(left_s, POLL_S), left_s, results=not self._info.is_list).state.ended:
                    continue
            except (TransportError, BusyError) as exc:
                if time.monotonic() < deadline:
                    raise
                raise self._timeout_error(timeout_s, f", as far as is known ({exc.message})") from exc
            if left_s <= 0:
                raise self._timeout_error(timeout_s)
            if time.monotonic() - start < min(
                left_s, _PAUSE_S
            ):  # the server answered early because too many requests wait
                time.sleep(min(left_s, _PAUSE_S))
        return self._info

    def _timeout_error(self, timeout_s: float | None, detail: str = "") -> JobTimeout:
        return JobTimeout(
            f"no result after {timeout_s:g} s; the run goes on, as job {self.id}{detail}", timeout_s=timeout_s
        )

    def _ask(self, wait_s: float, patience_s: float = math.inf, *, results: bool = False) -> ReceivedJob:
        """Ask the server about the job unless its end is known already."""
        if not self._info.state.ended:
            self._info = self._patiently(
                lambda: self._keeper.job_info(self.id, wait_s, results=results), min(patience_s, PATIENCE_S)
            )
        return self._info

    def _patiently(self, ask: Callable[[], T], patience_s: float = PATIENCE_S) -> T:
        """Ask the server, and ask again if it is unreachable or stopping."""
        return patiently(ask, patience_s, self.on_unreachable)
