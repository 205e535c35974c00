"""Deadlines, cancels and the end of a pool reach a run, also where workers or the fork server do nothing at all."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.fake import TARGET, Does, fake
from support.raw import alive, name_of, run_body, wait_for_end
from support.waiting import wait_until

from gateway.circuit import Circuit
from gateway.errors import BusyError, GatewayError, JobCancelled, JobTimeout
from gateway.execution import worker_process
from gateway.execution.content import FileContent
from gateway.execution.pool import Stop, WorkerPool
from gateway.execution.runner import Answer
from gateway.execution.worker import Target
from gateway.execution.worker_process import ForkServer
from gateway.protocol.messages import ServerLimits

LARGE = Circuit(4, 8)
for _number in range(60_000):
    LARGE.u(0, _number, 0, 0)
LARGE.measure(0, 0)


@pytest.fixture
def pool() -> Iterator[WorkerPool]:
    pool = WorkerPool(Target(TARGET), ServerLimits(), workers=1)
    wait_until(lambda: pool.ready, "a pool that is ready")
    yield pool
    pool.close()


@contextlib.contextmanager
def stopped(pid: int | None) -> Iterator[None]:
    """Stop a process for as long as the block lasts, so that it does nothing and reads nothing."""
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def fork_server(pool: WorkerPool) -> int:
    return pool._fork_server._process.pid


def cancelled(pool: WorkerPool, body: bytes, is_there: Callable[[], bool]) -> type[GatewayError] | None:
    """Begin a run, cancel it as soon as a condition holds, and return how it ended."""
    stop, ended = Stop(), []

    def run() -> None:
        try:
            pool.run(body, None, 600, stop=stop)
        except GatewayError as exc:
            ended.append(type(exc))

    thread = threading.Thread(target=run)
    thread.start()
    wait_until(is_there, "a run that is where it should be")
    stop.request()
    thread.join(60)
    assert not thread.is_alive()
    return ended[0]


@pytest.mark.parametrize("circuit", [fake(), LARGE], ids=["small", "larger than the pipe"])
def test_a_deadline_reaches_a_run_whose_worker_is_stopped(pool: WorkerPool, circuit: Circuit):
    (worker,) = pool.pids()
    with stopped(worker):
        with pytest.raises(JobTimeout, match=r"took longer than 0\.5 s and was killed"):
            pool.run(run_body(circuit), None, 0.5)
        wait_for_end({worker})
    assert pool.run(run_body(), None, 60).status == 200
    assert pool.replaced == {"job-timeout": 1}


@pytest.mark.parametrize("circuit", [fake(), LARGE], ids=["small", "larger than the pipe"])
def test_a_cancel_reaches_a_run_whose_worker_is_stopped(pool: WorkerPool, circuit: Circuit):
    (worker,) = pool.pids()
    with stopped(worker):
        assert cancelled(pool, run_body(circuit), lambda: not pool._free_workers.has_free) is JobCancelled
        wait_for_end({worker})
    assert pool.run(run_body(), None, 60).status == 200
    assert pool.replaced == {"job-cancelled": 1}


def test_runs_keep_deadlines_and_cancels_while_the_fork_server_is_stopped(pool: WorkerPool):
    with stopped(fork_server(pool)):
        assert pool.run(run_body(), None, 60).status == 200, "there is a worker"
        (worker,) = pool._alive
        os.kill(worker._process._keeper, signal.SIGKILL)
        wait_for_end({worker.pid})
        for _ in range(2):
            with pytest.raises(JobTimeout, match=r"no worker became free within the 0\.3 s of the run"):
                pool.run(run_body(), None, 0.3)
        assert cancelled(pool, run_body(), lambda: pool.waiting == 1) is JobCancelled
        assert pool.describe().status == 200
    assert pool.run(run_body(), None, 60).status == 200, "it goes on"


def test_a_fork_server_that_hangs_is_replaced_and_costs_no_run_of_other_workers(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(worker_process, "_FORKED_WITHIN_S", 0.5)
    pool = WorkerPool(Target(TARGET), ServerLimits(), workers=2)
    try:
        wait_until(lambda: len(pool._free_workers._free) == 2, "two workers")
        hung = fork_server(pool)
        beside = threading.Thread(target=lambda: answers.append(pool.run(run_body(fake(Does.WAIT)), None, 60)))
        answers: list[Answer] = []
        before = set(pool.pids())
        with stopped(hung):
            beside.start()
            wait_until(lambda: len(pool._free_workers._free) == 1, "a run")
            (idle,) = pool._free_workers._free
            os.kill(idle._process._keeper, signal.SIGKILL)
            wait_for_end({idle.pid})
            assert pool.run(run_body(), None, 60).status == 200
            assert fork_server(pool) != hung
            (other,) = before & set(pool.pids())
            os.kill(other, signal.SIGUSR1)
            beside.join(60)
            assert [answer.status for answer in answers] == [200]
    finally:
        pool.close()


def test_a_fork_server_that_is_killed_costs_no_run(pool: WorkerPool):
    os.kill(fork_server(pool), signal.SIGKILL)
    assert pool.run(run_body(), None, 60).status == 200
    with pytest.raises(GatewayError, match="SIGKILL"):
        pool.run(run_body(fake(Does.KILL_ITSELF)), None, 60)
    assert pool.run(run_body(), None, 60).status == 200


def test_a_fork_server_that_is_killed_is_reaped_and_replaced_although_no_worker_is_wanted(pool: WorkerPool):
    (worker,), killed = pool._alive, fork_server(pool)
    left_over = {worker.pid, worker._process._keeper}
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: not Path(f"/proc/{killed}").exists(), "the end of the process")
    wait_for_end(left_over)
    wait_until(lambda: pool._free_workers.has_free, "another worker")
    assert pool.replaced == {"recycled": 1}
    assert left_over.isdisjoint(pool.pids())
    assert pool.run(run_body(), None, 60).status == 200


def test_a_run_goes_on_when_its_fork_server_is_killed_and_its_worker_is_replaced_after_it(pool: WorkerPool):
    (worker,), answers = pool._alive, []
    left_over = {worker.pid, worker._process._keeper}
    run = threading.Thread(target=lambda: answers.append(pool.run(run_body(fake(Does.WAIT)), None, 60)))
    run.start()
    wait_until(lambda: name_of(worker.pid or 0) == Does.WAIT.name, "a run")
    killed = fork_server(pool)
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: fork_server(pool) != killed, "another fork server")
    os.kill(worker.pid or 0, signal.SIGUSR1)
    run.join(60)
    assert [answer.status for answer in answers] == [200]
    wait_for_end(left_over)
    assert pool.run(run_body(), None, 60).status == 200


def test_a_fork_server_that_ends_during_its_import_is_reaped_and_started_again_only_for_a_worker():
    ended = ForkServer("support.ends_at_import")
    try:
        before = ended._process
        wait_until(lambda: not Path(f"/proc/{before.pid}").exists(), "the end of the process")
        assert ended._process is before
        worker = ended.start_worker()
        assert ended._process is not before
        wait_until(worker.has_ended, "the end of a worker that never began")
        worker.end(0, 0)
    finally:
        ended.close()


def test_a_worker_whose_keeper_is_stopped_or_killed_is_ended_all_the_same(pool: WorkerPool):
    (worker,) = pool._alive
    with stopped(worker._process._keeper), pytest.raises(JobTimeout):
        pool.run(run_body(fake(Does.SLEEP_WITH_GIL, 600)), None, 0.3)
    wait_for_end({worker._process.pid, worker._process._keeper})
    assert pool.run(run_body(), None, 60).status == 200
    (worker,) = pool._alive
    os.kill(worker._process._keeper, signal.SIGKILL)
    wait_for_end({worker._process.pid})
    assert pool.run(run_body(), None, 60).status == 200


def test_a_killed_run_ends_one_process_only(pool: WorkerPool):
    (worker,) = pool._alive
    keeper = worker._process._keeper
    with pytest.raises(GatewayError, match="SIGKILL"):
        pool.run(run_body(fake(Does.KILL_ITSELF)), None, 60)
    assert pool.run(run_body(), None, 60).status == 200
    (worker,) = pool._alive
    assert worker._process._keeper == keeper


def test_a_keeper_that_is_stopped_while_its_worker_ends_is_replaced(pool, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(worker_process, "_FORKED_WITHIN_S", 0.5)
    (worker,) = pool._alive
    keeper = worker._process._keeper
    start = worker_process.ForkServer.start_worker

    def stopped_start(server, keeper_channel=None):
        if keeper_channel is not None:
            os.kill(keeper, signal.SIGSTOP)
        return start(server, keeper_channel)

    monkeypatch.setattr(worker_process.ForkServer, "start_worker", stopped_start)
    with pytest.raises(GatewayError, match="SIGKILL"):
        pool.run(run_body(fake(Does.KILL_ITSELF)), None, 60)
    assert pool.run(run_body(), None, 60).status == 200
    wait_for_end({keeper})


def test_a_worker_that_died_while_idle_costs_no_run(pool: WorkerPool):
    for _ in range(3):
        (worker,) = pool.pids()
        os.kill(worker, signal.SIGKILL)
        wait_for_end({worker})
        assert pool.run(run_body(), None, 60).status == 200


def test_a_large_answer_is_a_file(tmp_path):
    pool = WorkerPool(Target("adapters.qulacs:QulacsAdapter"), ServerLimits(), workers=1, folder=tmp_path)
    try:
        body = run_body(Circuit(17).h(0), shots=None, result="statevector")
        answer = pool.run(body, None, 60)
        assert isinstance(answer.body, FileContent)
        assert answer.body.size > 2**20
        assert list(tmp_path.iterdir()) == [], "it has no name"
        tmp_path.rmdir()
        with pytest.raises(GatewayError, match="could not be kept"):
            pool.run(body, None, 60)
        assert pool.run(run_body(), None, 60).status == 200
        assert pool.replaced == {"job-store": 1}
    finally:
        pool.close()


def test_an_import_at_the_start_counts_against_no_deadline():
    pool = WorkerPool(Target("support.fake:SlowlyImported"), ServerLimits(), workers=1)
    try:
        assert pool.run(run_body(), None, 0.9).status == 200
    finally:
        pool.close()


def test_a_cancel_reaches_a_run_during_the_import():
    pool = WorkerPool(Target("support.fake:SlowlyImported"), ServerLimits(), workers=1)
    try:
        assert cancelled(pool, run_body(), lambda: True) is JobCancelled
    finally:
        pool.close()


def test_a_pool_that_closes_leaves_no_process_even_if_they_are_stopped_or_were_never_forked():
    pool = WorkerPool(Target(TARGET), ServerLimits(), workers=2)
    wait_until(lambda: len(pool._free_workers._free) == 2, "two workers")
    processes = {fork_server(pool), *pool.pids(), *(worker._process._keeper for worker in pool._alive)}
    with stopped(fork_server(pool)), stopped(pool.pids()[0]):
        pool.close()
        wait_for_end(processes)
    with pytest.raises(BusyError, match="stopping"):
        pool.run(run_body(), None, 10)

    early = WorkerPool(Target("support.fake:SlowlyImported"), ServerLimits(), workers=2)
    early.close()
    wait_until(lambda: not alive(fork_server(early)), "the end of the fork server")
    wait_until(lambda: not any(t.name == "gateway-start" for t in threading.enumerate()), "the end of the threads")


def test_whoever_waits_while_all_workers_are_busy_is_told_so_in_time(pool: WorkerPool):
    stop = Stop()
    busy = threading.Thread(target=_run, args=(pool, stop))
    busy.start()
    wait_until(lambda: not pool._free_workers.has_free, "a busy worker")
    with pytest.raises(JobTimeout, match="no worker became free"):
        pool.run(run_body(), None, 0.2)
    with pytest.raises(JobTimeout, match="no worker became free"):
        pool.run(run_body(), None, 0.2, stop=Stop())
    stop.request()
    busy.join(60)


def _run(pool: WorkerPool, stop: Stop) -> None:
    with contextlib.suppress(JobCancelled):
        pool.run(run_body(fake(Does.SLEEP, 600)), None, 600, stop=stop)
