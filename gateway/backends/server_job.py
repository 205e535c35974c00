"""A job that a server keeps: found again by its id, and outliving both ends of the connection."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Protocol

from gateway.backends.base import Outcome
from gateway.backends.job import Job
from gateway.errors import BusyError, GatewayError, JobCancelled, JobTimeout, TransportError
from gateway.protocol import problem
from gateway.protocol.messages import ReceivedJob
from gateway.protocol.result_message import result_of
from gateway.results import JobState, Progress

POLL_S = 30.0
"""How long one request waits for the end of a job."""

PATIENCE_S = 60.0
"""How long a server may be out of reach while its job is waited for: a restart takes a few seconds."""

_PAUSE_S = 1.0


class Keeper(Protocol):
    """What keeps jobs: a server, through its client."""

    url: str

    def job_info(self, job_id: str, wait_s: float = 0) -> ReceivedJob:
        """Return where a job stands."""

    def cancel_job(self, job_id: str) -> ReceivedJob:
        """Cancel a job."""


class ServerJob(Job[Outcome | list[Outcome]]):
    """A job on a server.

    Args:
        keeper: asks the server.
        info: what it said last.

    Attributes:
        broken: is shown each failure to reach the server, and returns what to raise at once
            instead of trying again.
    """

    def __init__(self, keeper: Keeper, info: ReceivedJob) -> None:
        self.id = info.id
        self._keeper = keeper
        self._info = info
        self._outcomes: list[Outcome | GatewayError] | None = None
        self.broken: Callable[[TransportError], GatewayError | None] = lambda _: None

    def __repr__(self) -> str:
        return f"<job {self.id} {self._info.state} at {self._keeper.url}>"

    def status(self) -> JobState:
        """Ask the server for its state."""
        return self._ask(0).state

    def progress(self) -> Progress:
        """Ask the server how many of its circuits are done."""
        progress = self._ask(0).progress
        return Progress(progress.done, progress.total)

    def result(self, timeout_s: float | None = None) -> Outcome | list[Outcome]:
        """Wait for the result, through a restart of the server too.

        Raises:
            JobTimeout: not there within ``timeout_s``; the job goes on.
            JobCancelled: it was cancelled.
            TransportError: the server was out of reach for a minute.
            GatewayError: why a circuit failed; ``circuit`` says which of a list. :meth:`outcomes`
                has the results of the others.
        """
        outcomes = self.outcomes(timeout_s)
        for outcome in outcomes:
            if isinstance(outcome, GatewayError):
                raise outcome
        return outcomes if self._info.is_list else outcomes[0]  # type: ignore[return-value]  # no error is among them

    def outcomes(self, timeout_s: float | None = None) -> list[Outcome | GatewayError]:
        """Wait for the end, and return for each circuit, in order, its outcome or why it has none.

        Raises:
            JobTimeout, TransportError: as :meth:`result`.
        """
        if self._outcomes is None:
            self._outcomes = self._read(self._ended(timeout_s))
        return self._outcomes

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
        """Cancel the job unless it has ended, and kill what runs of it; say whether it is cancelled now."""
        self._info = self._keeper.cancel_job(self.id)
        return self._info.state is JobState.CANCELLED

    def _ended(self, timeout_s: float | None) -> ReceivedJob:
        give_up = math.inf if timeout_s is None else time.monotonic() + timeout_s
        while not (self._info.state.ended and self._info.results is not None):
            began = time.monotonic()
            left_s = max(0.0, give_up - began)
            try:
                if self._ask(min(left_s, POLL_S), left_s).state.ended:
                    continue
            except (TransportError, BusyError) as exc:
                if time.monotonic() < give_up:
                    raise
                raise self._late(timeout_s, f", as far as is known ({exc.message})") from exc
            if left_s <= 0:
                raise self._late(timeout_s)
            if time.monotonic() - began < min(left_s, _PAUSE_S):  # the server has no place for those who wait
                time.sleep(min(left_s, _PAUSE_S))
        return self._info

    def _late(self, timeout_s: float | None, known: str = "") -> JobTimeout:
        return JobTimeout(
            f"no result after {timeout_s:g} s; the run goes on, as job {self.id}{known}", timeout_s=timeout_s
        )

    def _ask(self, wait_s: float, patience_s: float = math.inf) -> ReceivedJob:
        """Ask the server, again if it is out of reach or stopping."""
        if self._info.state.ended and self._info.results is not None:
            return self._info  # nothing changes any more
        give_up = time.monotonic() + min(patience_s, PATIENCE_S)
        pause_s = 0.05
        while True:
            try:
                self._info = self._keeper.job_info(self.id, wait_s)
            except (TransportError, BusyError) as exc:
                error = self.broken(exc) if isinstance(exc, TransportError) else None
                if error is not None:
                    raise error from exc
                if time.monotonic() >= give_up:
                    raise
            else:
                return self._info
            time.sleep(min(pause_s, max(0.0, give_up - time.monotonic())))
            pause_s = min(pause_s * 2, _PAUSE_S)
