"""Follows jobs from their acceptance to their end, with an executor that the tests control."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest import mock

import msgspec
import pytest
import sqlalchemy as sa
from support.fake import Does, FakeAdapter, fake
from support.waiting import wait_until

from gateway.circuit import Circuit, parameter
from gateway.errors import (
    BusyError,
    IdempotencyConflict,
    JobCancelled,
    JobNotFound,
    JobStoreError,
    LimitError,
    ResultNotFound,
    SimulatorCrashed,
    StorageFull,
)
from gateway.execution.content import PIECE_BYTES, FileContent, pieces_of, size_of, whole
from gateway.execution.function import Function
from gateway.execution.pool import InlineExecutor, Stop
from gateway.execution.runner import Answer, Runner
from gateway.jobs import database, manager, running
from gateway.jobs.job_state import ActiveJob
from gateway.jobs.manager import MAX_ATTEMPTS, Caller, Jobs
from gateway.jobs.retention import Retention
from gateway.jobs.splitting import split
from gateway.jobs.store import JobRecord, JobStore
from gateway.protocol.messages import JobInfo, Problem, RunRequest, RunResponse, ServerLimits, decode, encode
from gateway.results import JobState

ADA, BOB = Caller("ada", "ada", "secret of ada"), Caller("bob", "bob")


class Obedient(InlineExecutor):
    """Runs the fake in the thread of the job, but waits at a gate, and can be stopped there."""

    workers = 2

    def __init__(self, runnable: object | None = None) -> None:
        super().__init__(Runner(runnable or FakeAdapter(), ServerLimits()))
        self.open = threading.Event()
        self.open.set()
        self.began: list[bytes] = []
        self.callers: list[str] = []

    def run(
        self, body: bytes, token: str | None, timeout_s: float, *, caller: str = "", stop: Stop, **named: object
    ) -> Answer:
        self.began.append(body)
        self.callers.append(caller)
        while not self.open.wait(0.005):  # a gate that opens, or a stop that is asked for
            if stop.requested:
                raise JobCancelled("the run was cancelled")
        return super().run(body, token, timeout_s, caller=caller, stop=stop, **named)


Start = Callable[..., Jobs]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start jobs; what is started is closed."""
    started: list[Jobs] = []

    def start(executor: InlineExecutor | None = None, url: str = "sqlite://", **limits: object) -> Jobs:
        jobs = Jobs(executor or Obedient(), JobStore(url, "fake"), ServerLimits(**limits))
        started.append(jobs)
        return jobs

    yield start
    for jobs in started:
        jobs.close()


def submitted(jobs: Jobs, circuits: object, caller: Caller = ADA, key: str | None = None, **fields: object) -> JobInfo:
    request = RunRequest(circuits=circuits, **fields)
    return jobs.submit(request, encode(request), caller, key=key)


def ended(jobs: Jobs, job: JobInfo, caller: Caller = ADA) -> JobInfo:
    """Return a job as a client reads it, once it has ended."""
    found = decode(JobInfo, whole(jobs.answer(job.id, caller, 10).body))
    assert found.state.ended
    return found


def test_a_job_is_queued_then_done_with_the_result_of_its_circuit(start: Start):
    executor = Obedient()
    executor.open.clear()
    jobs = start(executor)
    job = submitted(jobs, fake(amount=5), shots=3)
    assert (job.state, job.progress.done, job.progress.total, job.results) == (JobState.QUEUED, 0, 1, None)
    wait_until(lambda: executor.began, "the run to begin")
    assert jobs.info(job.id, ADA).state is JobState.RUNNING
    assert jobs.states() == {JobState.QUEUED: 0, JobState.RUNNING: 1}
    executor.open.set()
    found = ended(jobs, job)
    assert (found.state, found.progress.done, found.is_list) == (JobState.DONE, 1, False)
    assert [result.counts for result in found.results] == [{"00000101": 3}]
    assert found.created_at <= found.started_at <= found.ended_at
    assert jobs.states() == {JobState.QUEUED: 0, JobState.RUNNING: 0}


def test_a_list_gives_results_in_order_and_seeds_as_one_request_would(start: Start):
    jobs = start()
    job = submitted(jobs, [fake(amount=k) for k in range(10)], shots=list(range(1, 11)), seed=2**32 - 2)
    found = ended(jobs, job)
    assert [result.counts for result in found.results] == [{format(k, "08b"): k + 1} for k in range(10)]
    assert [result.provenance.seed for result in found.results][:4] == [2**32 - 2, 2**32 - 1, 0, 1]
    assert (found.is_list, found.progress.done) == (True, 10)


def test_one_failure_costs_no_other_result_and_names_its_circuit(start: Start):
    jobs = start()
    circuits = [fake(amount=1), fake(Does.RAISE), "OPENQASM 2.0; nonsense", fake(amount=2)]
    found = ended(jobs, submitted(jobs, circuits))
    assert found.state is JobState.FAILED
    assert [result and result.counts for result in found.results] == [
        {"00000001": 1024},
        None,
        None,
        {"00000010": 1024},
    ]
    assert [(error.circuit, error.code) for error in found.errors] == [(1, "simulator-error"), (2, "circuit-syntax")]
    assert found.progress.done == 4


def test_a_single_circuit_that_fails_names_no_circuit(start: Start):
    jobs = start()
    (error,) = ended(jobs, submitted(jobs, fake(Does.RAISE))).errors
    assert (error.circuit, error.status) == (None, 500)


def test_the_same_key_and_body_give_the_same_job_and_another_body_is_refused(start: Start):
    executor = Obedient()
    jobs = start(executor)
    first = submitted(jobs, fake(amount=1), key="k")
    assert submitted(jobs, fake(amount=1), key="k").id == first.id
    ended(jobs, first)
    assert submitted(jobs, fake(amount=1), key="k").id == first.id
    assert submitted(jobs, fake(amount=1), BOB, key="k").id != first.id
    with pytest.raises(IdempotencyConflict, match="used for another request") as caught:
        submitted(jobs, fake(amount=2), key="k")
    assert caught.value.job == first.id
    assert submitted(jobs, fake(amount=1)).id != first.id


def test_a_job_that_waits_and_one_that_runs_can_be_cancelled_and_what_was_answered_is_kept(start: Start):
    executor = Obedient()
    jobs = start(executor)
    executor.open.clear()
    running = submitted(jobs, [fake(), fake()])
    waiting = submitted(jobs, fake())
    wait_until(lambda: len(executor.began) == 2, "2 runs to begin")
    for job in (waiting, running):
        assert jobs.cancel(job.id, ADA).state is JobState.CANCELLED
        assert jobs.cancel(job.id, ADA).state is JobState.CANCELLED
    found = ended(jobs, running)
    assert (found.results, found.errors, found.progress.done) == ([None, None], None, 0)
    executor.open.set()
    done = ended(jobs, submitted(jobs, fake(amount=9)))
    assert jobs.cancel(done.id, ADA).state is JobState.DONE
    assert len(executor.began) == 3, "what was cancelled while it waited was never begun"


def test_a_job_is_there_for_its_owner_alone(start: Start):
    jobs = start()
    job = submitted(jobs, fake())
    for ask in (jobs.info, jobs.cancel, jobs.rerun):
        with pytest.raises(JobNotFound, match="no job"):
            ask(job.id, BOB)
        with pytest.raises(JobNotFound, match="no job 'nonsense'"):
            ask("nonsense", ADA)
    ended(jobs, job)
    with pytest.raises(JobNotFound):
        jobs.info(job.id, BOB)
    assert jobs.page(BOB).jobs == []
    assert [one.id for one in jobs.page(ADA).jobs] == [job.id]


def test_a_job_runs_again_as_a_new_one_with_the_same_seed(start: Start):
    jobs = start()
    first = ended(jobs, submitted(jobs, [fake(amount=3), fake(amount=4)], seed=7, key="k"))
    again = ended(jobs, jobs.rerun(first.id, ADA))
    assert again.id != first.id
    assert [result.counts for result in again.results] == [result.counts for result in first.results]
    assert [result.provenance.seed for result in again.results] == [7, 8]


def test_a_page_shows_the_newest_first_and_where_the_next_one_begins(start: Start):
    jobs = start()
    ids = [submitted(jobs, fake()).id for _ in range(5)]
    page = jobs.page(ADA, limit=2)
    assert [job.id for job in page.jobs] == [ids[4], ids[3]]
    page = jobs.page(ADA, limit=3, before=page.next)
    assert ([job.id for job in page.jobs], page.next) == (ids[2::-1], None)
    ended(jobs, page.jobs[0])
    assert all(job.results is None for job in jobs.page(ADA).jobs)
    with pytest.raises(JobNotFound):
        jobs.page(ADA, before="nonsense")


def test_a_longer_page_takes_no_more_queries(start: Start):
    jobs = start()
    for job in [submitted(jobs, fake()) for _ in range(20)]:
        ended(jobs, job)
    jobs._recent.clear()
    queries = {}
    for limit in (2, 20):
        statements: list[str] = []

        def note(*arguments: object, statements: list[str] = statements) -> None:
            statements.append(str(arguments[2]))

        sa.event.listen(jobs._store._engine, "before_cursor_execute", note)
        assert [job.failures for job in jobs.page(ADA, limit=limit).jobs] == [0] * limit
        sa.event.remove(jobs._store._engine, "before_cursor_execute", note)
        queries[limit] = len(statements)
    assert queries[2] == queries[20] > 0


def test_a_full_queue_accepts_nothing_and_says_when_to_come_back(start: Start):
    executor = Obedient()
    executor.open.clear()
    jobs = start(executor, max_queued_circuits=3)
    submitted(jobs, [fake()] * 2)
    wait_until(lambda: len(executor.began) == 2, "2 runs to begin")
    submitted(jobs, [fake()] * 3)
    with pytest.raises(BusyError, match="3 circuits wait") as caught:
        submitted(jobs, fake())
    assert caught.value.retry_after_s == 5
    assert len(jobs.page(ADA).jobs) == 2


def test_what_waits_of_a_cancelled_job_leaves_its_room_to_others_at_once(start: Start):
    executor = Obedient()
    executor.open.clear()
    jobs = start(executor, max_queued_circuits=3)
    submitted(jobs, [fake()] * 2)
    wait_until(lambda: len(executor.began) == 2, "both threads to run a circuit each")
    waiting = [submitted(jobs, fake()), submitted(jobs, [fake()] * 2, BOB)]
    jobs.cancel(waiting[1].id, BOB)
    assert jobs.queued == 1
    submitted(jobs, [fake(), fake()])
    assert jobs.queued == 3
    jobs.cancel(waiting[0].id, ADA)
    assert jobs.queued == 2, "the other job of the same caller still waits"


def test_callers_take_turns(start: Start):
    executor = Obedient()
    executor.open.clear()
    jobs = start(executor)
    submitted(jobs, [fake()] * 6)
    wait_until(lambda: len(executor.began) == 2, "2 runs to begin")
    last = submitted(jobs, [fake()] * 2, BOB)
    executor.open.set()
    ended(jobs, last, BOB)
    assert "jobs of bob" in executor.callers[2:4]
    assert executor.callers[:6].count("jobs of bob") == 2


def test_what_a_server_left_is_taken_up_by_the_next_one_and_what_it_answered_is_kept(start: Start, tmp_path: Path):
    url = f"sqlite:///{tmp_path}/jobs"
    executor = Obedient()
    first = start(executor, url)
    done = ended(first, submitted(first, fake(amount=1)))
    executor.open.clear()
    cut_off = submitted(first, [fake(amount=2), fake(amount=3), fake(amount=4)])
    wait_until(lambda: len(executor.began) == 3, "3 runs to begin")
    first.close()
    second = start(Obedient(), url)
    assert [result.counts for result in ended(second, done).results] == [{"00000001": 1024}]
    found = ended(second, cut_off)
    assert [result.counts for result in found.results] == [{format(k, "08b"): 1024} for k in (2, 3, 4)]


def test_a_run_that_can_end_in_time_ends_before_its_server(start: Start, tmp_path: Path):
    url = f"sqlite:///{tmp_path}/jobs"
    executor = Obedient()
    executor.open.clear()
    first = start(executor, url)
    job = submitted(first, fake(amount=1))
    wait_until(lambda: executor.began, "the run to begin")
    threading.Timer(0.1, executor.open.set).start()
    first.close(within_s=10)
    second_executor = Obedient()
    second = start(second_executor, url)
    assert ended(second, job).state is JobState.DONE
    assert second_executor.began == []


def test_a_server_that_stops_accepts_nothing_and_lets_nobody_wait(start: Start):
    executor = Obedient()
    executor.open.clear()
    jobs = start(executor)
    job = submitted(jobs, fake())
    threading.Timer(0.1, jobs.stop_taking).start()
    assert not jobs.info(job.id, ADA, 60).state.ended
    with pytest.raises(BusyError, match="the server is stopping"):
        submitted(jobs, fake())


def test_a_run_during_which_servers_keep_ending_is_given_up_and_others_are_not(start: Start, tmp_path: Path):
    store = JobStore(f"sqlite:///{tmp_path}/jobs", "fake")
    executor = Obedient()
    executor.open.clear()
    jobs = Jobs(executor, store)
    job = submitted(jobs, [fake(amount=1), fake(amount=2)])
    wait_until(lambda: len(executor.began) == 2, "2 runs to begin")
    jobs.close()
    store = JobStore(f"sqlite:///{tmp_path}/jobs", "fake")
    number = store.find(job.id, "ada").number
    for _ in range(MAX_ATTEMPTS - 1):
        store.begin(number, 0, 1.0)
    store.close()
    found = ended(start(Obedient(), f"sqlite:///{tmp_path}/jobs"), job)
    assert [(error.circuit, error.code) for error in found.errors] == [(0, "job-interrupted")]
    assert [result and result.counts for result in found.results] == [None, {"00000010": 1024}]


def test_a_token_is_handed_to_the_function_and_never_written_down(start: Start, tmp_path: Path):
    seen: list[str | None] = []

    def run_func(circuit, shots, token):
        seen.append(token)
        return {"0": shots}

    url = f"sqlite:///{tmp_path}/jobs"
    executor = Obedient(Function(run_func))
    first = start(executor, url)
    circuit = Circuit(1).measure_all()
    ended(first, submitted(first, circuit))
    assert seen == ["secret of ada"]
    executor.open.clear()
    cut_off = submitted(first, circuit)
    wait_until(lambda: len(executor.began) == 2, "2 runs to begin")
    first.close()
    assert b"secret of ada" not in b"".join(path.read_bytes() for path in tmp_path.iterdir())
    (error,) = ended(start(Obedient(Function(run_func)), url), cut_off).errors
    assert (error.code, "keeps no tokens" in error.detail) == ("job-interrupted", True)
    assert seen == ["secret of ada"]


def test_a_crash_is_the_error_of_its_own_job(start: Start):
    class Crashing(Obedient):
        def run(self, body: bytes, *arguments: object, **named: object) -> Answer:
            if msgspec.json.decode(body).get("shots") == 13:
                raise SimulatorCrashed("the simulator's process was ended", exit_code=-9)
            return super().run(body, *arguments, **named)

    jobs = start(Crashing())
    bad, good = submitted(jobs, fake(), shots=13), submitted(jobs, fake())
    assert [error.code for error in ended(jobs, bad).errors] == ["simulator-crashed"]
    assert ended(jobs, good).state is JobState.DONE


def test_a_bug_ends_the_job_with_an_error_and_takes_no_thread_along(start: Start, caplog: pytest.LogCaptureFixture):
    class Buggy(Obedient):
        def run(self, body: bytes, *arguments: object, **named: object) -> Answer:
            raise ZeroDivisionError("a bug")

    jobs = start(Buggy())
    for _ in range(4):
        (error,) = ended(jobs, submitted(jobs, fake())).errors
        assert (error.code, "ZeroDivision" in error.detail) == ("internal-error", False)
    assert "a bug" in caplog.text


def test_a_database_that_cannot_be_written_for_a_while_delays_a_job_and_loses_nothing(
    start: Start, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    executor = Obedient()
    executor.open.clear()
    jobs = start(executor, f"sqlite:///{tmp_path}/jobs")
    job = submitted(jobs, fake(amount=6))
    wait_until(lambda: executor.began, "the run to begin")
    writing = jobs._store._writer._connections[False]
    writing.exec_driver_sql("PRAGMA query_only = ON")
    executor.open.set()
    wait_until(lambda: "trying again" in caplog.text, "the answer to be refused by the database")
    writing.exec_driver_sql("PRAGMA query_only = OFF")
    assert [result.counts for result in ended(jobs, job).results] == [{"00000110": 1024}]


# ---------------------------------------------------------------------- a database that is away


@contextlib.contextmanager
def locked(file: Path) -> Iterator[None]:
    """Lock a database as another program may: nobody else can write."""
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.rollback()


def state_on_disk(file: Path, job: JobInfo) -> str:
    with contextlib.closing(sqlite3.connect(file)) as connection:
        return str(connection.execute("SELECT state FROM jobs WHERE id = ?", (job.id,)).fetchone()[0])


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that tries again soon, so that a test need not wait."""
    monkeypatch.setattr(database, "_BUSY_S", 0.05)
    monkeypatch.setattr(running, "CANCEL_WITHIN_S", 0.05)
    monkeypatch.setattr(running, "LONGEST_DELAY_S", 0.2)


@pytest.mark.usefixtures("impatient")
def test_a_job_is_cancelled_although_nothing_can_be_written(start: Start, tmp_path: Path):
    executor = Obedient()
    executor.open.clear()
    jobs = start(executor, f"sqlite:///{tmp_path}/jobs", max_queued_circuits=3)
    job = submitted(jobs, [fake()] * 2)
    wait_until(lambda: len(executor.began) == 2, "both circuits to begin")
    waiting = submitted(jobs, [fake()] * 3)
    with locked(tmp_path / "jobs"):
        for each in (job, waiting):
            assert jobs.cancel(each.id, ADA).state is JobState.CANCELLED
            assert jobs.cancel(each.id, ADA).state is JobState.CANCELLED, "as often as somebody asks"
            assert jobs.info(each.id, ADA, 60).state is JobState.CANCELLED
        assert [each.state for each in jobs.page(ADA).jobs] == [JobState.CANCELLED] * 2
        assert jobs.states() == {JobState.QUEUED: 0, JobState.RUNNING: 0}
        assert jobs.queued == 0
        assert state_on_disk(tmp_path / "jobs", job) == "running"
    for each in (job, waiting):
        wait_until(lambda each=each: state_on_disk(tmp_path / "jobs", each) == "cancelled", "the disk to follow")
    wait_until(lambda: not jobs._active, "memory to forget the jobs")
    executor.open.set()
    assert ended(jobs, submitted(jobs, fake())).state is JobState.DONE, "both threads are free"


@pytest.mark.usefixtures("impatient")
def test_a_job_whose_answer_cannot_be_written_is_cancelled_and_frees_its_thread(
    start: Start, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    executor = Obedient()
    executor.open.clear()
    jobs = start(executor, f"sqlite:///{tmp_path}/jobs")
    stuck = [submitted(jobs, fake()) for _ in range(2)]
    wait_until(lambda: len(executor.began) == 2, "both circuits to begin")
    with locked(tmp_path / "jobs"):
        executor.open.set()
        wait_until(lambda: caplog.text.count("trying again") >= 2, "the answers to be refused")
        for job in stuck:
            assert jobs.cancel(job.id, ADA).state is JobState.CANCELLED
    assert ended(jobs, submitted(jobs, fake())).state is JobState.DONE
    for job in stuck:
        wait_until(lambda job=job: state_on_disk(tmp_path / "jobs", job) == "cancelled", "the disk to follow")


@pytest.mark.parametrize("where", ["memory", "file"])
def test_a_cancel_at_the_moment_of_the_last_answer_wins_in_memory_and_on_disk(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
):
    jobs = start(Obedient(), "sqlite://" if where == "memory" else f"sqlite:///{tmp_path}/jobs")
    store, told = jobs._store, []
    finish = store.finish

    def cancelled_meanwhile(*arguments: object) -> bool:
        written = finish(*arguments)
        told.append(jobs.cancel(job.id, ADA).state)
        return written

    monkeypatch.setattr(store, "finish", cancelled_meanwhile)
    executor = jobs._running._executor
    executor.open.clear()
    job = submitted(jobs, fake())
    executor.open.set()
    assert ended(jobs, job).state is JobState.CANCELLED
    wait_until(lambda: told and not jobs._active, "the end to be written")
    assert told == [JobState.CANCELLED]
    assert store.find(job.id, "ada").state is JobState.CANCELLED


@pytest.mark.usefixtures("impatient")
def test_jobs_go_on_by_themselves_after_the_database_was_away(
    start: Start, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    executor = Obedient()
    executor.open.clear()
    jobs = start(executor, f"sqlite:///{tmp_path}/jobs")
    accepted = [submitted(jobs, [fake(amount=k), fake(amount=k + 1)]) for k in range(10)]
    wait_until(lambda: len(executor.began) == 2, "2 runs to begin")
    with locked(tmp_path / "jobs"):
        executor.open.set()
        with pytest.raises(JobStoreError, match="locked"):
            submitted(jobs, fake())
        wait_until(lambda: caplog.text.count("trying again") >= 8, "some attempts in vain")
        assert [jobs.info(job.id, ADA).state.ended for job in accepted] == [False] * 10
    for k, job in enumerate(accepted):
        assert [result.counts for result in ended(jobs, job).results] == [
            {format(k, "08b"): 1024},
            {format(k + 1, "08b"): 1024},
        ]


@pytest.mark.usefixtures("impatient")
def test_a_server_that_ends_before_a_cancel_is_written_leaves_the_job_to_the_next_one(start: Start, tmp_path: Path):
    executor = Obedient()
    executor.open.clear()
    first = start(executor, f"sqlite:///{tmp_path}/jobs")
    job = submitted(first, fake())
    wait_until(lambda: executor.began, "the run to begin")
    with locked(tmp_path / "jobs"):
        first.cancel(job.id, ADA)
        first.close()
    assert ended(start(Obedient(), f"sqlite:///{tmp_path}/jobs"), job).state is JobState.DONE


@pytest.mark.usefixtures("impatient")
def test_a_server_starts_although_it_cannot_write_what_it_gives_up(start: Start, tmp_path: Path):
    store = JobStore(f"sqlite:///{tmp_path}/jobs", "fake")
    record = JobRecord("x", "ada", "ada", JobState.QUEUED, 1, is_list=False, timeout_s=1, created=1)
    number = store.add(record, [encode(RunRequest(circuits=fake()))])
    for _ in range(MAX_ATTEMPTS):
        store.begin(number, 0, 1.0)
    with locked(tmp_path / "jobs"):
        jobs = Jobs(Obedient(), store)
        assert jobs.info("x", ADA).state is JobState.RUNNING
    assert [error.code for error in ended(jobs, jobs.info("x", ADA)).errors] == ["job-interrupted"]
    jobs.close()


@pytest.mark.usefixtures("impatient")
def test_a_run_that_a_database_error_ends_begins_again_on_the_same_server(tmp_path: Path):
    failures = [JobStoreError("the database went away")]

    def on_run(_run: object) -> None:
        if failures:
            raise failures.pop()

    jobs = Jobs(Obedient(), JobStore(f"sqlite:///{tmp_path}/jobs", "fake"), on_run=on_run)
    assert ended(jobs, submitted(jobs, fake())).state is JobState.DONE
    jobs.close()


def test_the_removal_of_old_jobs_goes_on_after_any_error(start: Start, monkeypatch: pytest.MonkeyPatch):
    rounds: list[int] = []

    def fails() -> int:
        rounds.append(1)
        raise [JobStoreError("it is away"), ZeroDivisionError("a bug")][len(rounds) % 2]

    monkeypatch.setattr(manager, "_EXPIRE_EVERY_S", 0.01)
    monkeypatch.setattr(Retention, "clear_up", lambda _self: fails())
    start()
    wait_until(lambda: len(rounds) > 4, "some rounds of removal that fail")


# ---------------------------------------------------------------------- a full queue


def test_a_request_that_is_repeated_gets_its_job_although_the_queue_is_full(start: Start):
    executor = Obedient()
    executor.open.clear()
    jobs = start(executor, max_queued_circuits=2)
    submitted(jobs, [fake()] * 2)
    wait_until(lambda: len(executor.began) == 2, "2 runs to begin")
    accepted = submitted(jobs, [fake()] * 2, key="key")
    assert submitted(jobs, [fake()] * 2, key="key").id == accepted.id
    with pytest.raises(IdempotencyConflict):
        submitted(jobs, [fake()], key="key")
    for key in (None, "another key"):
        with pytest.raises(BusyError):
            submitted(jobs, [fake()], key=key)
    with pytest.raises(BusyError):
        submitted(jobs, [fake()] * 2, BOB, key="key")


def test_many_at_once_do_not_fill_the_queue_beyond_its_limit(start: Start):
    executor = Obedient()
    executor.open.clear()
    jobs = start(executor, max_queued_circuits=10)
    submitted(jobs, [fake()] * 2)
    wait_until(lambda: len(executor.began) == 2, "2 runs to begin")

    def accepted(_: int) -> bool:
        try:
            submitted(jobs, [fake()] * 3)
        except BusyError:
            return False
        return True

    with ThreadPoolExecutor(16) as threads:
        assert sum(threads.map(accepted, range(64))) == 3
    assert jobs.queued == 9
    submitted(jobs, fake())


def test_places_of_a_job_that_was_not_accepted_are_free_again(start: Start, monkeypatch: pytest.MonkeyPatch):
    jobs = start(Obedient(), max_queued_circuits=1)
    with monkeypatch.context() as patch:
        patch.setattr(jobs._store, "add", mock.Mock(side_effect=JobStoreError("it is away")))
        for _ in range(3):
            with pytest.raises(JobStoreError):
                submitted(jobs, fake())
    assert ended(jobs, submitted(jobs, fake())).state is JobState.DONE


def test_a_job_that_was_cancelled_before_it_was_queued_takes_no_place(start: Start, monkeypatch: pytest.MonkeyPatch):
    executor = Obedient()
    executor.open.clear()
    jobs = start(executor)
    submitted(jobs, [fake()] * 2)
    wait_until(lambda: len(executor.began) == 2, "2 runs to begin")
    add = jobs._running.add

    def cancelled_before(job: ActiveJob) -> None:
        jobs.cancel(job.record.id, ADA)
        add(job)

    monkeypatch.setattr(jobs._running, "add", cancelled_before)
    submitted(jobs, [fake()] * 5)
    assert jobs.queued == 0


def test_the_same_key_twice_at_once_gives_one_job_and_keeps_no_place(start: Start, tmp_path: Path):
    executor = Obedient()
    executor.open.clear()
    jobs = start(executor, f"sqlite:///{tmp_path}/jobs", max_queued_circuits=200)
    submitted(jobs, [fake()] * 2)
    wait_until(lambda: len(executor.began) == 2, "2 runs to begin")
    with ThreadPoolExecutor(16) as threads:
        found = set(threads.map(lambda _: submitted(jobs, [fake()] * 4, key="key").id, range(32)))
    assert len(found) == 1
    assert jobs.queued == 4
    submitted(jobs, [fake()] * 196)


class Large(Obedient):
    """Answers with as many bytes as the request has shots."""

    def run(self, body: bytes, *arguments: object, **named: object) -> Answer:
        answer = super().run(body, *arguments, **named)
        size = msgspec.json.decode(body).get("shots", 0) if answer.status == 200 else 0
        content = FileContent()
        content.append(answer.body[:-3] + b" " * max(0, size - len(answer.body)) + answer.body[-3:])
        return Answer(answer.status, content if size > PIECE_BYTES else answer.body)


def test_the_state_of_an_ended_job_says_how_large_its_results_are_and_holds_none(start: Start):
    jobs = start()
    job = submitted(jobs, [fake(amount=1), fake(Does.RAISE), fake(amount=2)])
    whole_job = ended(jobs, job)
    state = jobs.info(job.id, ADA)
    assert (state.results, state.errors, state.failures) == (None, None, 1)
    assert state.result_bytes == sum(len(answer.body) for answer in jobs._store.answers(1))
    assert (whole_job.failures, whole_job.result_bytes) == (None, None)
    assert msgspec.structs.replace(whole_job, results=None, errors=None) == msgspec.structs.replace(
        state, result_bytes=None, failures=None
    )
    one = submitted(jobs, fake(Does.RAISE))
    ended(jobs, one)
    assert jobs.info(one.id, ADA).failures == 1
    assert jobs.failure(one.id, ADA) == jobs.failure(job.id, ADA) != ""


def test_the_result_of_one_circuit_is_had_alone_with_its_own_problem(start: Start):
    jobs = start()
    job = submitted(jobs, [fake(amount=1), fake(Does.RAISE)])
    whole_job = ended(jobs, job)
    first, second = (jobs.result(job.id, position, ADA) for position in (0, 1))
    assert first.status == 200
    assert decode(RunResponse, whole(first.body)).results == [whole_job.results[0]]
    assert second.status == 500
    assert decode(Problem, whole(second.body)) == whole_job.errors[0]
    alone = submitted(jobs, fake(Does.RAISE))
    assert decode(Problem, whole(jobs.result(ended(jobs, alone).id, 0, ADA).body)).circuit is None


def test_a_result_that_is_not_there_says_why(start: Start):
    executor = Obedient()
    executor.open.clear()
    jobs = start(executor)
    job = submitted(jobs, [fake()] * 2)
    wait_until(lambda: len(executor.began) == 2, "2 runs to begin")
    with pytest.raises(ResultNotFound, match="the job is running, and circuit 1 has no answer yet") as caught:
        jobs.result(job.id, 1, ADA)
    assert (caught.value.status, caught.value.job) == (404, job.id)
    for position in (-1, 2, 2**70):
        with pytest.raises(ResultNotFound, match="has no circuit"):
            jobs.result(job.id, position, ADA)
    with pytest.raises(JobNotFound):
        jobs.result(job.id, 0, BOB)
    jobs.cancel(job.id, ADA)
    with pytest.raises(ResultNotFound, match=r"the job is cancelled, and circuit 0 has no answer$"):
        jobs.result(job.id, 0, ADA)


def test_who_waits_for_a_result_has_it_while_the_job_goes_on(start: Start):
    executor = Obedient()
    executor.open.clear()
    jobs = start(executor)
    job = submitted(jobs, [fake(amount=k) for k in range(3)], shots=1)
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(jobs.result, job.id, 0, ADA, wait_s=60)
        wait_until(lambda: len(executor.began) == 2, "2 runs to begin")
        with pytest.raises(ResultNotFound, match="no answer yet"):
            jobs.result(job.id, 0, ADA, wait_s=0.01)
        assert not waiting.done()
        executor.open.set()
        assert waiting.result(60).status == 200


def test_who_waits_for_a_result_of_a_job_that_is_cancelled_is_told_at_once(start: Start):
    executor = Obedient()
    executor.open.clear()
    jobs = start(executor)
    job = submitted(jobs, [fake()] * 3)
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(jobs.result, job.id, 2, ADA, wait_s=600)
        wait_until(lambda: len(executor.began) == 2, "2 runs to begin")
        jobs.cancel(job.id, ADA)
        with pytest.raises(ResultNotFound, match=r"the job is cancelled, and circuit 2 has no answer$"):
            waiting.result(60)


@pytest.mark.parametrize("kind", ["memory", "file"])
def test_large_results_are_told_and_sent_with_a_few_pieces_in_memory(start: Start, kind: str, tmp_path: Path):
    jobs = start(Large(), "sqlite://" if kind == "memory" else f"sqlite:///{tmp_path}/jobs")
    sizes = [20 * PIECE_BYTES + k for k in range(6)]
    job = submitted(jobs, [*[fake(amount=k) for k in range(6)], fake(Does.RAISE)], shots=[*sizes, 1])
    wait_until(lambda: jobs.info(job.id, ADA).state.ended, "the job to end")
    tracemalloc.start()
    try:
        assert jobs.info(job.id, ADA).result_bytes > sum(sizes)
        assert sum(map(len, pieces_of(jobs.result(job.id, 3, ADA).body))) == sizes[3]
        content = jobs.answer(job.id, ADA).body
        assert sum(map(len, pieces_of(content))) == size_of(content) > sum(sizes)
        assert tracemalloc.get_traced_memory()[1] < 6 * PIECE_BYTES
    finally:
        tracemalloc.stop()
    found = ended(jobs, job)
    assert [result and list(result.counts) for result in found.results] == [
        *[[format(k, "08b")] for k in range(6)],
        None,
    ]
    assert [error.circuit for error in found.errors] == [6]


def refuse_answers_above(jobs: Jobs, size: int) -> None:
    with jobs._store.transaction() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER small BEFORE UPDATE ON circuits "
            f"WHEN coalesce(NEW.whole_size, length(NEW.answer)) > {size} OR NEW.size > {size} "
            "BEGIN SELECT RAISE(ABORT, 'too large a value'); END"
        )


@pytest.mark.usefixtures("impatient")
def test_a_large_answer_waits_for_room_and_ends_as_storage_full_if_none_is_made(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    jobs = start(Large(), f"sqlite:///{tmp_path}/jobs")
    shots = 20 * PIECE_BYTES
    write = jobs._store._write_pieces
    monkeypatch.setattr(jobs._store, "_write_pieces", mock.Mock(side_effect=StorageFull("no space is left")))
    waiting = submitted(jobs, fake(amount=1), shots=shots)
    wait_until(lambda: "trying again" in caplog.text, "an attempt to write it")
    monkeypatch.setattr(running, "ROOM_WITHIN_S", 0.0)  # for those that come from now on
    failed = ended(jobs, submitted(jobs, fake(amount=1), shots=shots))
    assert failed.errors[0].code == "storage-full"
    assert ended(jobs, submitted(jobs, fake(amount=1), shots=10)).state is JobState.DONE
    monkeypatch.setattr(jobs._store, "_write_pieces", write)
    assert ended(jobs, waiting).state is JobState.DONE, "its minute was not over"


@pytest.mark.parametrize("shots", [1000, 2 * PIECE_BYTES])
def test_an_answer_that_can_never_be_stored_ends_its_circuit_with_the_reason_and_holds_nobody_up(
    start: Start, shots: int, tmp_path: Path
):
    url = f"sqlite:///{tmp_path}/jobs"
    jobs = start(Large(), url)
    refuse_answers_above(jobs, 900)
    wide = fake(clbits=1000)
    for _ in range(4):  # more than there are threads
        job = submitted(jobs, [wide, fake()], shots=[shots, 1])
        found = ended(jobs, job)
        assert found.state is JobState.FAILED
        assert [(error.circuit, error.code) for error in found.errors] == [(0, "job-store")]
        assert "cannot be stored: the job database refuses it (too large a value)" in found.errors[0].detail
        assert found.results[1] is not None
    jobs.close()
    assert ended(start(Large(), url), job).state is JobState.FAILED, "it does not come back"


def test_what_finds_no_room_fails_or_is_refused_and_what_was_fetched_makes_room(start: Start):
    size = 2 * PIECE_BYTES
    jobs = start(Large(), keep_jobs_bytes=5 * size)
    request = {"shots": size}
    first = submitted(jobs, fake(), **request)
    wait_until(lambda: jobs.info(first.id, ADA).state.ended, "the first job to end")
    second = submitted(jobs, [fake()] * 2, **request)
    wait_until(lambda: jobs.info(second.id, ADA).state.ended, "the second job to end")
    assert jobs.info(second.id, ADA).failures == 1
    problem = jobs.failure(second.id, ADA)
    assert "fetch the results of jobs that have ended" in problem
    assert jobs.info(first.id, ADA).result_bytes == size
    with pytest.raises(LimitError, match="at most 1,310,720 are kept"):
        submitted(jobs, "x" * size)
    other = submitted(jobs, fake(), BOB, **request)
    wait_until(lambda: jobs.info(other.id, BOB).state.ended, "the job of another owner to end")
    assert jobs.info(other.id, BOB).state is JobState.DONE
    ended(jobs, first)
    third = submitted(jobs, fake(), **request)
    assert ended(jobs, third).state is JobState.DONE
    with pytest.raises(JobNotFound):
        jobs.info(first.id, ADA)


def test_a_request_that_was_accepted_is_answered_although_there_is_no_room_for_it_now(start: Start):
    jobs = start(keep_owner_bytes=1_000)
    circuit = f"OPENQASM 2.0; // {'x' * 500}"
    job = submitted(jobs, circuit, key="k")
    with pytest.raises(LimitError):
        submitted(jobs, circuit, key="another")
    assert submitted(jobs, circuit, key="k").id == job.id


def test_a_job_that_is_forgotten_is_not_found_any_more_and_one_that_runs_goes_on(start: Start):
    executor = Obedient()
    jobs = start(executor)
    done = submitted(jobs, fake())
    assert ended(jobs, done).state is JobState.DONE
    with pytest.raises(JobNotFound):
        jobs.forget(done.id, BOB)
    assert jobs.forget(done.id, ADA).state is JobState.DONE
    for ask in (jobs.info, jobs.forget):
        with pytest.raises(JobNotFound):
            ask(done.id, ADA)
    executor.open.clear()
    running = submitted(jobs, fake())
    wait_until(lambda: len(executor.began) == 2, "the run to begin")
    assert jobs.forget(running.id, ADA).state is JobState.RUNNING
    executor.open.set()
    assert ended(jobs, running).state is JobState.DONE


def echo(*, does: Does = Does.ECHO) -> Circuit:
    """Return a circuit that makes the fake echo the parameter ``n``."""
    return Circuit(1, 8).u(float(does), parameter("n"), 0, 0).measure(0, 0)


POINTS = [float(k) for k in range(100)]


def test_a_sweep_gives_the_results_of_its_points_in_order_and_a_few_runs_have_them_all(start: Start):
    executor = Obedient()
    jobs = start(executor)
    job = submitted(jobs, echo(), shots=3, seed=2**32 - 2, parameters={"n": POINTS})
    assert (job.is_list, job.progress.total) == (True, 100)
    found = ended(jobs, job)
    assert found.state is JobState.DONE
    assert [result.counts for result in found.results] == [{format(k, "08b"): 3} for k in range(100)]
    assert [result.provenance.seed for result in found.results] == [(2**32 - 2 + k) % 2**32 for k in range(100)]
    assert len(executor.began) == 25
    assert decode(RunResponse, whole(jobs.result(job.id, 42, ADA).body)).results == [found.results[42]]


def test_a_sweep_of_one_point_is_a_list_and_numbers_alone_are_not(start: Start):
    jobs = start()
    of_list, of_number = (submitted(jobs, echo(), parameters={"n": value}) for value in ([5], 5))
    assert (of_list.is_list, of_number.is_list) == (True, False)
    assert ended(jobs, of_list).results[0].counts == ended(jobs, of_number).results[0].counts == {"00000101": 1024}


def test_progress_counts_points(start: Start):
    executor = Obedient()
    executor.open.clear()
    jobs = start(executor)
    job = submitted(jobs, echo(), parameters={"n": POINTS})
    wait_until(lambda: len(executor.began) == 2, "two runs to begin")
    assert jobs.queued == 23
    executor.open.set()
    assert ended(jobs, job).progress.done == 100


def test_a_point_that_fails_costs_the_others_of_its_run_nothing(start: Start):
    jobs = start()
    circuit = Circuit(1, 8).u(parameter("does"), parameter("n"), 0, 0).measure(0, 0)
    does = [float(Does.RAISE if k == 42 else Does.ECHO) for k in range(100)]
    found = ended(jobs, submitted(jobs, circuit, shots=3, parameters={"n": POINTS, "does": does}))
    assert found.state is JobState.FAILED
    assert [k for k, result in enumerate(found.results) if result is None] == [42]
    assert [result.counts for result in found.results if result] == [
        {format(k, "08b"): 3} for k in range(100) if k != 42
    ]
    assert [(error.circuit, error.code) for error in found.errors] == [(42, "simulator-error")]
    assert found.progress.done == 100


def test_parameters_that_do_not_fit_are_the_error_of_each_point(start: Start):
    jobs = start()
    found = ended(jobs, submitted(jobs, echo(), parameters={"m": POINTS}))
    assert [(error.circuit, error.code) for error in found.errors] == [(k, "request-invalid") for k in range(100)]


def test_what_a_server_left_of_a_sweep_is_taken_up_point_by_point(start: Start, tmp_path: Path):
    url = f"sqlite:///{tmp_path}/jobs.sqlite"
    executor = Obedient()
    first = start(executor, url)
    executor.open.clear()
    job = submitted(first, echo(), shots=3, seed=7, parameters={"n": POINTS})
    wait_until(lambda: len(executor.began) == 2, "two runs to begin")
    first.close()
    again = Obedient()
    found = ended(start(again, url), job)
    assert [result.counts for result in found.results] == [{format(k, "08b"): 3} for k in range(100)]
    assert [result.provenance.seed for result in found.results] == list(range(7, 107))
    assert len(again.began) == 100


def test_a_point_of_a_sweep_during_which_servers_keep_ending_is_given_up_and_others_are_not(
    start: Start, tmp_path: Path
):
    url = f"sqlite:///{tmp_path}/jobs.sqlite"
    first = start(Obedient(), url)
    first.stop_taking()
    first.close()
    store = JobStore(url, "fake")
    request = RunRequest(circuits=echo(), shots=3, parameters={"n": POINTS})
    record = JobRecord(
        id="left", owner="ada", caller="ada", state=JobState.QUEUED, total=100, is_list=True, timeout_s=60, created=1.0
    )
    number = store.add(record, split(request, encode(request)))
    for _ in range(MAX_ATTEMPTS):
        store.begin(number, 5, 2.0)
    store.close()
    jobs = start(Obedient(), url)
    found = decode(JobInfo, whole(jobs.answer("left", ADA, 10).body))
    assert [(error.circuit, error.code) for error in found.errors] == [(5, "job-interrupted")]
    assert [k for k, result in enumerate(found.results) if result is None] == [5]


def test_a_sweep_runs_again_as_a_new_job(start: Start):
    executor = Obedient()
    jobs = start(executor)
    job = submitted(jobs, echo(), seed=7, shots=3, parameters={"n": POINTS})
    first = ended(jobs, job)
    executor.began.clear()
    second = ended(jobs, jobs.rerun(job.id, ADA))
    assert [result.counts for result in second.results] == [result.counts for result in first.results]
    assert len(executor.began) == 25


def test_a_sweep_that_is_cancelled_stops_its_runs_and_keeps_what_there_is(start: Start):
    executor = Obedient()
    executor.open.clear()
    jobs = start(executor)
    job = submitted(jobs, echo(), parameters={"n": POINTS})
    wait_until(lambda: len(executor.began) == 2, "two runs to begin")
    assert jobs.cancel(job.id, ADA).state is JobState.CANCELLED
    assert jobs.queued == 0
    assert ended(jobs, job).results == [None] * 100


@pytest.mark.parametrize("limit", ["_TOGETHER_BYTES", "PIECE_BYTES"])
def test_results_of_points_that_are_large_together_or_alone_are_stored_one_by_one(
    start: Start, limit: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(running, limit, 10)
    jobs = start()
    found = ended(jobs, submitted(jobs, echo(), shots=3, parameters={"n": POINTS}))
    assert [result.counts for result in found.results] == [{format(k, "08b"): 3} for k in range(100)]


def test_points_whose_results_find_no_room_fail_and_others_do_not(start: Start):
    jobs = start(keep_jobs_bytes=30_000)
    found = ended(jobs, submitted(jobs, echo(), shots=3, parameters={"n": POINTS}))
    codes = {error.code for error in found.errors}
    assert codes == {"limit-exceeded"}
    assert 0 < len(found.errors) < 100
