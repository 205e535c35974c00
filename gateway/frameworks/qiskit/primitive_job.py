"""What our two primitives for Qiskit share: their jobs, and PUBs that fail alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from qiskit.primitives import BasePrimitiveJob, PrimitiveResult, PubResult
from qiskit.providers import JobError, JobStatus
from qiskit.providers.jobstatus import JOB_FINAL_STATES

from gateway.backends.batch import Running
from gateway.errors import GatewayError
from gateway.frameworks.qiskit.backend import STATES, outcomes_of
from gateway.frameworks.shared.errors import also
from gateway.results import JobState


class GatewayPrimitiveJob(BasePrimitiveJob[Any, Any]):
    """The job of a primitive, with the id of our job.

    Args:
        batch: our job.
        finish: makes the result of each PUB, or its error, of the outcomes of the batch.
    """

    def __init__(self, batch: Running, finish: Callable[[list[Any]], list[PubResult | GatewayError]]) -> None:
        super().__init__(batch.id)
        self._batch = batch
        self._finish = finish
        self._result: Any = None

    def result(self, timeout: float | None = None) -> Any:  # noqa: ANN401 - a PrimitiveResult
        """Wait for the result.

        A PUB that failed has a place in the result, which raises the PUB's error when its data are asked for.

        Args:
            timeout: how many seconds to wait at most.

        Raises:
            GatewayError: all PUBs failed, the job was cancelled, or (JobTimeout) it did not end in time. The error is
                Qiskit's ``JobError`` or ``JobTimeoutError`` as well.
        """
        if self._result is None:
            results = self._finish(outcomes_of(self._batch, timeout))
            errors = [found for found in results if isinstance(found, GatewayError)]
            if errors and len(errors) == len(results):
                raise also(errors[0], JobError)
            self._result = PrimitiveResult(
                [FailedPubResult(found) if isinstance(found, GatewayError) else found for found in results],
                metadata={"version": 2},
            )
        return self._result

    def status(self) -> Any:  # noqa: ANN401 - a JobStatus
        """Return the present state of the job; it is an error only if no PUB has a result."""
        state = self._batch.status()
        if state in {JobState.DONE, JobState.FAILED}:
            try:
                self.result()
            except GatewayError:
                return JobStatus.ERROR
            return JobStatus.DONE
        return STATES[state]

    def done(self) -> bool:
        """Return whether the job has a result."""
        return self.status() is JobStatus.DONE

    def running(self) -> bool:
        """Return whether the job runs now."""
        return self.status() is JobStatus.RUNNING

    def cancelled(self) -> bool:
        """Return whether the job was cancelled."""
        return self.status() is JobStatus.CANCELLED

    def in_final_state(self) -> bool:
        """Return whether the job has ended."""
        return self.status() in JOB_FINAL_STATES

    def cancel(self) -> bool:
        """Cancel the job unless it has ended, kill its run if that is long, and return whether it is cancelled."""
        return self._batch.cancel()


class FailedPubResult(PubResult):
    """The place of a PUB that failed beside others that did not; every use of it raises the PUB's error.

    Args:
        error: why the PUB failed.
    """

    __slots__ = ("_error",)

    def __init__(self, error: GatewayError) -> None:
        super().__init__(None)
        self._error = also(error, JobError)

    def _fail(self) -> NoReturn:
        raise self._error

    @property
    def data(self) -> NoReturn:
        """Raise the PUB's error."""
        self._fail()

    @property
    def metadata(self) -> NoReturn:
        """Raise the PUB's error."""
        self._fail()

    def join_data(self, names: object = None) -> NoReturn:  # noqa: ARG002 - as a sampler's result has it
        """Raise the PUB's error."""
        self._fail()

    def __repr__(self) -> str:
        return f"FailedPubResult({self._error!r})"


def per_pub(outcomes: Sequence[Any], sizes: Sequence[int]) -> list[list[Any] | GatewayError]:
    """Return the outcomes of each PUB, which has the next ``sizes[k]`` circuits, or the first error among them."""
    pubs: list[list[Any] | GatewayError] = []
    begin = 0
    for size in sizes:
        part = list(outcomes[begin : begin + size])
        pubs.append(next((outcome for outcome in part if isinstance(outcome, GatewayError)), part))
        begin += size
    return pubs
