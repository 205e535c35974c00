"""A run can be stopped from outside, even at the worst moments."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.fake import TARGET, Does, fake
from support.raw import run_body

from gateway.errors import JobCancelled
from gateway.execution import pool as pool_module
from gateway.execution.answers import AnswerReader
from gateway.execution.pool import Stop, WorkerPool
from gateway.execution.worker import Run, Target
from gateway.protocol.messages import ServerLimits

TIMEOUT_S = 30.0


@pytest.fixture
def pool() -> Iterator[WorkerPool]:
    pool = WorkerPool(Target(TARGET), ServerLimits(), workers=1)
    yield pool
    pool.close()


def test_a_worker_stopped_just_after_it_answered_gets_no_other_run(pool: WorkerPool, monkeypatch):
    assert pool.run(run_body(), None, TIMEOUT_S).status == 200
    stop, receive = Stop(), AnswerReader.read

    def stopped_after_the_answer(reader, number, ending):
        answer = receive(reader, number, ending)
        stop.request()
        return answer

    with monkeypatch.context() as patch:
        patch.setattr(AnswerReader, "read", stopped_after_the_answer)
        pool.run(run_body(), None, TIMEOUT_S, stop=stop)
    for _ in range(5):
        assert pool.run(run_body(), None, TIMEOUT_S).status == 200
    assert pool.replaced == {"job-cancelled": 1}


def test_a_run_stopped_while_it_waits_costs_no_worker(pool: WorkerPool):
    assert pool.run(run_body(), None, TIMEOUT_S).status == 200
    stop = Stop()
    stop.request()
    with pytest.raises(JobCancelled, match="cancelled"):
        pool.run(run_body(fake(Does.SLEEP, 60)), None, TIMEOUT_S, stop=stop)
    assert pool.run(run_body(), None, TIMEOUT_S).status == 200
    assert pool.replaced == {}


def test_what_is_served_is_known_before_the_first_run(pool: WorkerPool, monkeypatch):
    """Otherwise nobody could ask while long runs keep every worker."""
    known, ask = [], pool_module._Worker.ask

    def seen(worker, task, *rest):
        if isinstance(task, Run):
            known.append(pool.ready)
        return ask(worker, task, *rest)

    monkeypatch.setattr(pool_module._Worker, "ask", seen)
    pool.run(run_body(), None, TIMEOUT_S)
    assert known == [True]
