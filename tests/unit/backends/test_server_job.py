"""A handle on a job that a server keeps: what it asks for, and when."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
import pytest

from gateway.backends.server_job import ServerJob
from gateway.counts import Counts
from gateway.errors import (
    BusyError,
    GatewayError,
    JobCancelled,
    JobNotFound,
    ResultNotFound,
    SimulatorError,
    TransportError,
)
from gateway.protocol import problem
from gateway.protocol.messages import JobProgress, ReceivedJob
from gateway.protocol.result_message import message_of, result_of
from gateway.results import JobState, Provenance, Result

PROVENANCE = Provenance(simulator="fake", version="1")
LARGE = 2**24


def counts(k: int) -> Result:
    return result_of(message_of(Counts({format(k, "08b"): 7}).with_provenance(PROVENANCE)))


class Keeper:
    """A server with one job, which ends when it is asked for the second time."""

    url = "http://127.0.0.1:8080"

    def __init__(self, *outcomes: Result | GatewayError, is_list: bool = True, result_bytes: int | None = 1000) -> None:
        self.outcomes = outcomes
        self.is_list = is_list
        self.result_bytes = result_bytes
        self.asked: list[str] = []
        self.failing: list[GatewayError] = []

    def state(self, state: JobState) -> ReceivedJob:
        n = len(self.outcomes)
        return ReceivedJob(
            id="job", state=state, is_list=self.is_list, progress=JobProgress(n, n), created_at=datetime.now(UTC)
        )

    def info(self, *, results: bool) -> ReceivedJob:
        state = JobState.RUNNING if not self.asked else JobState.DONE
        info = self.state(state)
        values = {name: getattr(info, name) for name in info.__struct_fields__}
        if not state.ended:
            return info
        if not results:
            return ReceivedJob(**values | {"result_bytes": self.result_bytes})
        found = [None if isinstance(each, GatewayError) else message_of(each) for each in self.outcomes]
        errors = [problem.dump(each) for each in self.outcomes if isinstance(each, GatewayError)]
        return ReceivedJob(**values | {"results": found, "errors": [msgspec.Raw(each) for each in errors] or None})

    def job_info(self, job_id: str, wait_s: float = 0, *, results: bool = True) -> ReceivedJob:
        info = self.info(results=results)
        self.asked.append("all" if results else "state")
        self.fail()
        return info

    def job_result(self, job_id: str, position: int) -> Result:
        self.asked.append(str(position))
        self.fail()
        outcome = self.outcomes[position]
        if isinstance(outcome, GatewayError):
            raise outcome
        return outcome

    def fail(self) -> None:
        if self.failing:
            raise self.failing.pop(0)

    def cancel_job(self, job_id: str) -> ReceivedJob:
        return self.state(JobState.CANCELLED)


def job_of(keeper: Keeper) -> ServerJob:
    return ServerJob(keeper, keeper.state(JobState.RUNNING))


ASK: dict[str, Callable[[ServerJob], object]] = {
    "status": lambda job: job.status(),
    "progress": lambda job: job.progress(),
    "glance": lambda job: job.glance(),
    "done": lambda job: job.done(),
}


@pytest.mark.parametrize("ask", ASK)
def test_whoever_asks_for_the_state_is_sent_no_results(ask: str):
    keeper = Keeper(counts(1), counts(2))
    job = job_of(keeper)
    for _ in range(4):
        ASK[ask](job)
    assert keeper.asked == ["state", "state"], "nothing more once it has ended"


def test_small_results_of_a_list_come_together():
    keeper = Keeper(counts(1), SimulatorError("no", circuit=1), counts(2))
    first, second, third = job_of(keeper).outcomes(60)
    assert (first, str(second), third) == (counts(1), "no", counts(2))
    assert keeper.asked == ["state", "state", "all"]


def test_a_single_result_comes_with_the_state():
    keeper = Keeper(counts(1), is_list=False)
    assert job_of(keeper).result(60) == counts(1)
    assert keeper.asked == ["all", "all"]


def test_large_results_of_a_list_come_one_after_the_other_and_once():
    keeper = Keeper(counts(1), SimulatorError("no", circuit=1), BusyError("full", circuit=2), result_bytes=LARGE)
    job = job_of(keeper)
    for _ in range(2):
        first, second, third = job.outcomes(60)
        assert (first, str(second), type(third)) == (counts(1), "no", BusyError)
    assert keeper.asked == ["state", "state", "0", "1", "2"]
    with pytest.raises(SimulatorError, match="no"):
        job.result()


def test_a_circuit_without_a_result_was_cancelled():
    keeper = Keeper(counts(1), ResultNotFound("the job is cancelled"), result_bytes=LARGE)
    first, second = job_of(keeper).outcomes(60)
    assert (first, type(second), second.circuit) == (counts(1), JobCancelled, 1)


def test_a_server_that_restarts_meanwhile_is_asked_again():
    keeper = Keeper(counts(1), counts(2), result_bytes=LARGE)
    job = job_of(keeper)
    while not job.status().ended:
        pass
    keeper.failing = [TransportError("broken off"), BusyError("stopping")]
    assert job.result(60) == [counts(1), counts(2)]
    assert keeper.asked == ["state", "state", "0", "0", "0", "1"]


def test_an_error_that_is_not_the_circuits_own_is_raised():
    keeper = Keeper(counts(1), result_bytes=LARGE)
    job = job_of(keeper)
    while not job.status().ended:
        pass
    keeper.failing = [JobNotFound("removed")]
    with pytest.raises(JobNotFound, match="removed"):
        job.outcomes(60)
    assert job.outcomes(60) == [counts(1)], "and may be asked for again"
