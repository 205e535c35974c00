"""A pool that closes leaves no worker half started; the pool itself is tried with real processes in tests/server."""

from __future__ import annotations

import threading

import pytest

from gateway.execution import pool as pool_module
from gateway.execution.pool import WorkerPool
from gateway.execution.worker import Target
from gateway.protocol.messages import ServerLimits


class SlowWorker:
    """Starts only when it is let go."""

    starting, let_go = threading.Event(), threading.Event()
    events: list[str]

    def __init__(self, *_loads: object) -> None:
        self.events.append("starts")
        self.starting.set()
        self.let_go.wait(5)
        self.events.append("started")

    def end(self, _wait_s: float = 0) -> None:
        self.events.append("ended")


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> WorkerPool:
    SlowWorker.starting, SlowWorker.let_go, SlowWorker.events = threading.Event(), threading.Event(), []
    monkeypatch.setattr(pool_module, "_Worker", SlowWorker)
    monkeypatch.setattr(pool_module, "begin_imports", lambda _target: None)
    pool = WorkerPool(Target(path="a:B"), ServerLimits(), workers=2)
    assert SlowWorker.starting.wait(5)
    return pool


def test_a_pool_closes_when_the_worker_that_is_being_started_has_started_and_starts_no_other(pool: WorkerPool):
    closing = threading.Thread(target=lambda: (pool.close(), SlowWorker.events.append("closed")))
    closing.start()
    closing.join(0.05)
    assert SlowWorker.events == ["starts"], "it waits"

    SlowWorker.let_go.set()
    closing.join()
    assert pool._workers_started.wait(5)

    assert SlowWorker.events == ["starts", "started", "ended", "closed"]


def test_a_pool_closes_without_a_worker_whose_start_takes_too_long(pool: WorkerPool, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pool_module, "_ENDS_WITHIN_S", 0.01)

    pool.close()

    assert SlowWorker.events == ["starts"]
    SlowWorker.let_go.set()
