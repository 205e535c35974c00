"""What every job has: functions that are called at its end, and ``await``."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from support.waiting import wait_until

from gateway.backends import job as job_module
from gateway.backends.batch import QuickBatch
from gateway.backends.job import Job, LocalJob
from gateway.errors import AuthenticationError, JobCancelled, JobNotFound, SimulatorError, TransportError
from gateway.results import JobState, Progress


class Remote(Job[int]):
    """A job at a machine, which ends when the test says so."""

    id = "remote"

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.error: Exception | None = None
        self.failing: list[Exception] = []
        self.asked = 0

    def status(self) -> JobState:
        self.asked += 1
        if self.failing:
            raise self.failing.pop(0)
        if not self.gate.is_set():
            return JobState.RUNNING
        return JobState.DONE if self.error is None else JobState.FAILED

    def result(self, timeout_s: float | None = None) -> int:
        self.gate.wait()
        if self.error is not None:
            raise self.error
        return 7

    def cancel(self) -> bool:
        return False

    def progress(self) -> Progress:
        return Progress(0, 1)


class Local(LocalJob[int]):
    """A job in a thread of this process, which ends when the test says so."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.error: Exception | None = None
        threads = ThreadPoolExecutor(1)
        super().__init__(threads.submit(self.run))
        threads.shutdown(wait=False)

    def run(self) -> int:
        self.gate.wait()
        if self.error is not None:
            raise self.error
        return 7


@pytest.fixture(params=[Remote, Local])
def job(request: pytest.FixtureRequest):
    made = request.param()
    yield made
    made.gate.set()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_module, "_LONGEST_PAUSE_S", 0.01)


def test_functions_are_called_once_with_the_job_at_its_end_in_the_order_in_which_they_came(job):
    called: list[tuple[int, object]] = []
    for number in range(3):
        job.add_done_callback(lambda ended, number=number: called.append((number, ended)))
    assert called == []
    job.gate.set()
    wait_until(lambda: len(called) >= 3, "the calls")
    assert called == [(0, job), (1, job), (2, job)]
    threads = [thread.name for thread in threading.enumerate()]
    job.add_done_callback(lambda ended: called.append((3, ended)))
    assert called[-1] == (3, job), "a job that has ended is told of at once, in this thread"
    assert f"gateway-end-of-{job.id}" not in set(threading.enumerate()) - set(threads)
    assert len(called) == 4


def test_a_function_that_fails_is_logged_and_costs_no_other_its_call(job, caplog: pytest.LogCaptureFixture):
    called = threading.Event()

    def fail(_: object) -> None:
        raise ValueError("this one fails")

    job.add_done_callback(fail)
    job.add_done_callback(lambda _: called.set())
    job.gate.set()
    assert called.wait(60)
    assert "a function that was to be called at the end of a job failed" in caplog.text
    assert "this one fails" in caplog.text
    job.add_done_callback(fail)
    assert caplog.text.count("ValueError: this one fails") == 2


def test_one_thread_waits_however_many_want_to_hear_of_the_end():
    job, called = Remote(), []
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda number: job.add_done_callback(lambda _: called.append(number)), range(100)))
    assert [thread.name for thread in threading.enumerate()].count("gateway-end-of-remote") == 1
    job.gate.set()
    wait_until(lambda: len(called) == 100, "all calls")
    assert sorted(called) == list(range(100))


def test_the_end_is_seen_although_the_machine_is_away_for_a_while(caplog: pytest.LogCaptureFixture):
    job, called = Remote(), threading.Event()
    job.add_done_callback(lambda _: called.set())
    job.failing = [TransportError("no answer", url="x"), TransportError("no answer", url="x")]
    wait_until(lambda: not job.failing, "two failures")
    assert not called.is_set()
    job.gate.set()
    assert called.wait(60)
    assert caplog.text.count("the end of job remote cannot be seen, and is looked for again: no answer") == 1


def test_who_may_not_ask_for_the_job_any_more_is_told_so_and_does_not_wait_for_ever():
    job, called = Remote(), threading.Event()
    job.add_done_callback(lambda _: called.set())
    job.failing = [AuthenticationError("unknown token")]
    assert called.wait(60)
    job.gate.set()


def test_a_job_that_its_machine_has_forgotten_has_ended():
    for failing_at_once in (True, False):
        job, called = Remote(), threading.Event()
        gone = JobNotFound("no such job", job="remote")
        job.failing = [gone] if failing_at_once else []
        job.add_done_callback(lambda _, called=called: called.set())
        job.failing.append(gone)
        assert called.wait(60)


def test_a_job_can_be_awaited(job):
    async def main() -> tuple[int, int]:
        asyncio.get_running_loop().call_later(0.01, job.gate.set)
        return await job, await job

    assert asyncio.run(main()) == (7, 7)


def test_many_jobs_can_be_awaited_together():
    async def main() -> list[int]:
        jobs = [kind() for kind in (Remote, Local) for _ in range(20)]
        asyncio.get_running_loop().call_later(0.01, lambda: [job.gate.set() for job in jobs])
        return await asyncio.gather(*jobs)

    assert asyncio.run(main()) == [7] * 40


@pytest.mark.parametrize("error", [SimulatorError("it failed", simulator="s"), JobCancelled("it was cancelled")])
def test_the_error_of_a_job_is_raised_where_it_is_awaited(job, error):
    job.error = error
    job.gate.set()

    async def main() -> int:
        return await job

    with pytest.raises(type(error), match=str(error)):
        asyncio.run(main())


def test_who_gives_up_waiting_leaves_the_job_going_on(job):
    async def main() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(_result_of(job), 0.01)

    asyncio.run(main())
    assert job.status() is JobState.RUNNING
    job.gate.set()
    assert job.result() == 7


async def _result_of(job):
    return await job


def test_the_results_of_a_job_are_its_result_where_the_machine_gives_no_parts(job):
    job.gate.set()
    assert list(job.results()) == [7]


class EndsLate(Future[int]):
    """A run that ends between the end of the wait for it and the next look at it."""

    def result(self, timeout: float | None = None) -> int:
        if not self.done():
            self.set_result(7)
            raise TimeoutError
        return super().result(timeout)


def test_a_run_that_ends_as_the_wait_for_it_does_has_its_result():
    assert LocalJob(EndsLate()).result(0.01) == 7
    running = QuickBatch.__new__(QuickBatch)
    running._future = EndsLate()
    assert running.outcomes(0.01) == 7
