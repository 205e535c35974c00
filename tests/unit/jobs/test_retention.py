"""Which jobs are kept: quotas, the time that results stay, and what is refused for want of room."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import msgspec
import pytest

from gateway.errors import LimitError
from gateway.jobs.clock import SteadyClock
from gateway.jobs.never_stored import NeverStored
from gateway.jobs.retention import Retention
from gateway.jobs.store import EndedJob, JobRecord, JobStore, StoredAnswer
from gateway.protocol.messages import ServerLimits
from gateway.results import JobState

RECORD = JobRecord(
    id="", owner="ada", caller="ada", state=JobState.QUEUED, total=1, is_list=False, timeout_s=60, created=1000.0
)
LIMITS = ServerLimits(keep_jobs_bytes=20_000, keep_owner_bytes=10_000, keep_unfetched_s=3600, keep_jobs_s=86_400)


class Clock(SteadyClock):
    """A clock that the test sets."""

    time = 100_000.0

    def now(self) -> float:
        return self.time


class Kept:
    """A store with a retention, and what the tests ask of it."""

    def __init__(self, url: str, limits: ServerLimits = LIMITS) -> None:
        self.url = url
        self.limits = limits
        self.clock = Clock()
        self.removals = 0
        self.open()

    def open(self) -> None:
        self.store = JobStore(self.url, "qulacs")
        self.retention = Retention(self.store, self.clock, self.limits, self.count)

    def count(self) -> None:
        self.removals += 1

    def submit(self, name: str, owner: str = "ada", *, size: int = 0, total: int = 1) -> JobRecord:
        record = replace(RECORD, id=name, owner=owner, total=total)
        return replace(record, number=self.retention.add(record, [b"r" * size] * total))

    def finish(self, record: JobRecord, size: int, position: int = 0, *, status: int = 200, last: bool = True) -> None:
        state = JobState.DONE if last else None
        answer = StoredAnswer(status, b"a" * size)
        assert self.retention.finish(record, position, answer, state, self.clock.now())

    def done(self, name: str, size: int, owner: str = "ada", *, fetched: bool = False) -> JobRecord:
        record = self.submit(name, owner)
        self.finish(record, size)
        if fetched:
            self.retention.note_fetched(record.number)
        return record

    def names(self, owner: str = "ada") -> str:
        """Return the names of an owner's jobs, the oldest first."""
        return "".join(reversed([record.id for record in self.store.page(owner, None, None, 1000)]))


@pytest.fixture(params=["sqlite://", "file"])
def kept(request: pytest.FixtureRequest, tmp_path) -> Iterator[Kept]:
    made = Kept(f"sqlite:///{tmp_path}/jobs" if request.param == "file" else request.param)
    yield made
    made.store.close()


def test_room_is_made_of_what_was_fetched_the_oldest_first(kept: Kept):
    for name, fetched in zip("abcd", [False, True, False, True], strict=True):
        kept.done(name, 2_500, fetched=fetched)
    kept.done("e", 2_000)
    assert kept.names() == "acde"
    kept.done("f", 2_400)
    assert kept.names() == "acef"
    assert kept.removals == 2


def test_what_nobody_fetched_stays_for_its_time_and_then_makes_room(kept: Kept):
    kept.done("a", 6_000)
    late = kept.submit("b")
    for _ in range(2):
        with pytest.raises(NeverStored, match="fetch the results of jobs that have ended") as caught:
            kept.retention.finish(late, 0, StoredAnswer(200, b"a" * 5_000), JobState.DONE, kept.clock.now())
    reason = caught.value.reason
    assert (reason.code, reason.limit, reason.requested, reason.allowed) == (
        "limit-exceeded",
        "keep_owner_bytes",
        11_000,
        10_000,
    )
    kept.clock.time += 3_599
    assert kept.retention.clear_up() == 0
    with pytest.raises(LimitError, match="this job takes 5,000 bytes, the jobs of this owner take 6,000 already"):
        kept.submit("c", size=5_000)
    kept.clock.time += 2
    kept.finish(late, 5_000)
    assert kept.names() == "b"


def test_a_job_that_finds_no_room_is_refused_and_nothing_is_removed_in_vain(kept: Kept):
    kept.done("a", 3_000, fetched=True)
    kept.done("b", 6_000)
    with pytest.raises(LimitError, match="take 9,000 already"):
        kept.submit("c", size=5_000)
    with pytest.raises(LimitError, match="at most 10,000 are kept"):
        kept.submit("d", size=10_001)
    assert kept.names() == "ab"
    kept.submit("e", size=4_000)
    assert kept.names() == "be"


def test_requests_that_wait_count_too_and_are_not_removed(kept: Kept):
    kept.submit("a", size=500, total=10)
    with pytest.raises(LimitError):
        kept.submit("b", size=5_001)
    kept.clock.time += 10**6
    assert kept.retention.clear_up() == 0
    kept.submit("c", size=5_000)
    assert kept.names() == "ac"


def test_a_problem_is_stored_although_there_is_no_room(kept: Kept):
    kept.done("a", 10_000)
    job = kept.submit("b")
    kept.finish(job, 300, status=413)
    assert kept.store.taken() == {"ada": 10_300}


def test_nobody_loses_anything_because_another_takes_much(kept: Kept):
    kept.done("a", 9_000, "ada", fetched=True)
    kept.done("x", 100, "bob")
    kept.clock.time += 7_200
    for name in "bcdefgh":
        kept.done(name, 9_000, "ada", fetched=True)
        kept.done(name.upper(), 9_000, "eve", fetched=True)
    assert kept.names("bob") == "x"
    kept.retention.clear_up()
    assert (kept.names("ada"), kept.names("eve"), kept.names("bob")) == ("h", "H", "x")


def test_beyond_all_bytes_the_owner_with_the_most_loses_first_but_nothing_young(kept: Kept):
    kept.done("a", 9_000, "ada")
    kept.done("b", 7_000, "bob")
    kept.done("c", 6_000, "cyd")
    assert kept.retention.clear_up() == 0, "all of them are young, though they are more than is kept in all"
    kept.clock.time += 7_200
    assert kept.retention.clear_up() == 1
    assert [kept.names(owner) for owner in ("ada", "bob", "cyd")] == ["", "b", "c"]


def test_jobs_are_removed_at_their_age_whether_fetched_or_not(kept: Kept):
    kept.done("a", 10)
    kept.done("b", 10, fetched=True)
    kept.clock.time += 86_399
    assert kept.retention.clear_up() == 0
    kept.clock.time += 2
    assert kept.retention.clear_up() == 2
    kept.done("c", 10_000)


def test_a_list_was_fetched_once_all_its_results_were(kept: Kept):
    job = kept.submit("a", total=3)
    for position in range(3):
        kept.finish(job, 3_000, position, last=position == 2)
    for position in (0, 1, 1, 0):
        kept.retention.note_result_fetched(job.number, position, 3)
    with pytest.raises(LimitError):
        kept.submit("b", size=5_000)
    kept.retention.note_result_fetched(job.number, 2, 3)
    kept.submit("b", size=5_000)
    assert kept.names() == "b"


def test_what_was_fetched_and_what_is_taken_is_known_after_a_restart(tmp_path):
    kept = Kept(f"sqlite:///{tmp_path}/jobs")
    kept.done("a", 3_000, fetched=True)
    kept.done("b", 4_000)
    kept.retention.flush()
    kept.store.close()
    kept.open()
    kept.done("c", 3_000)
    assert kept.names() == "abc"
    kept.done("d", 3_000)
    assert kept.names() == "bcd"
    kept.store.close()


def test_an_answer_that_was_not_written_takes_no_room(kept: Kept):
    job = kept.done("a", 6_000)
    for _ in range(5):
        answer = StoredAnswer(200, b"a" * 3_000)
        assert not kept.retention.finish(job, 0, answer, JobState.DONE, kept.clock.now())
    kept.done("b", 4_000)


def test_a_job_that_is_forgotten_is_gone_at_once_or_the_first_to_go_while_it_is_read(kept: Kept):
    forgotten, read = kept.done("a", 4_000), kept.done("b", 5_000)
    kept.retention.forget(forgotten)
    assert (kept.names(), kept.store.taken()) == ("b", {"ada": 5_000})
    answer = kept.store.answer(read.number, 0)
    kept.retention.forget(read)
    assert kept.names() == "b"
    del answer
    kept.done("c", 6_000)
    assert kept.names() == "c"


def test_a_job_that_was_forgotten_while_it_was_read_is_removed_afterwards(kept: Kept):
    read = kept.done("a", 4_000)
    answer = kept.store.answer(read.number, 0)
    kept.retention.forget(read)
    assert (kept.retention.clear_up(), kept.names()) == (0, "a")
    del answer
    assert (kept.retention.clear_up(), kept.names()) == (1, "")
    assert kept.retention.clear_up() == 0


def test_a_job_that_was_forgotten_before_the_database_knew_its_end_is_removed_afterwards(kept: Kept):
    cancelled = kept.submit("a", size=4_000)
    kept.retention.forget(cancelled)
    assert (kept.retention.clear_up(), kept.names()) == (0, "a")
    kept.store.cancel({cancelled.number: kept.clock.now()})
    assert (kept.retention.clear_up(), kept.names()) == (1, "")


def test_a_job_that_is_forgotten_twice_at_once_gives_its_room_back_once(kept: Kept, monkeypatch: pytest.MonkeyPatch):
    forgotten, ended, both = kept.done("a", 4_000), kept.store.ended, Barrier(2)
    kept.done("b", 5_000)

    def seen_by_both(number: int) -> list[EndedJob]:
        jobs = ended(number)
        both.wait(30)
        return jobs

    monkeypatch.setattr(kept.store, "ended", seen_by_both)
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(kept.retention.forget, [forgotten] * 2))
    with pytest.raises(LimitError, match="the jobs of this owner take 5,000 already"):
        kept.submit("c", size=6_000)


def test_a_job_that_is_read_makes_no_room(kept: Kept):
    kept.done("a", 6_000, fetched=True)
    answer = kept.store.answer(kept.store.find("a", "ada").number, 0)
    with pytest.raises(LimitError):
        kept.submit("b", size=6_000)
    del answer
    kept.submit("b", size=6_000)


@pytest.mark.parametrize(
    ("fields", "owner", "quota"),
    [
        ({}, "ada", 2**29),
        ({}, "", 2**30),
        ({"keep_jobs_bytes": 1001}, "ada", 500),
        ({"keep_owner_bytes": 7}, "ada", 7),
        ({"keep_owner_bytes": 7}, "", 7),
        ({"keep_owner_bytes": 0}, "ada", 0),
    ],
)
def test_a_quota_is_half_of_all_and_all_where_everybody_is_one_owner(fields, owner, quota):
    kept = Kept("sqlite://", ServerLimits(**fields))
    assert kept.retention.quota(owner) == quota
    kept.store.close()


def test_many_at_once_never_take_more_than_the_quota(kept: Kept):
    def attempt(k: int) -> bool:
        try:
            kept.submit(f"{k} ", size=900)
        except LimitError:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(attempt, range(40))) == 11
    assert kept.store.taken() == {"ada": 9_900}


def test_the_largest_owner_loses_until_another_one_is_larger(kept: Kept):
    owners = {"ada": "adg", "bob": "be", "cyd": "c"}
    for k, name in enumerate("abcdefg"):
        owner = next((owner for owner, names in owners.items() if name in names), "dan")
        kept.done(name, 4_000 - k, owner, fetched=name != "c")

    def left() -> list[str]:
        return [kept.names(owner) for owner in ("ada", "bob", "cyd", "dan")]

    assert left() == ["dg", "be", "c", "f"], "the quota has taken its part"
    assert kept.retention.clear_up() == 1
    assert left() == ["dg", "e", "c", "f"]
    kept.retention._limits = msgspec.structs.replace(LIMITS, keep_jobs_bytes=8_000)
    assert kept.retention.clear_up() == 3
    assert left() == ["g", "", "c", ""]
    kept.retention._limits = msgspec.structs.replace(LIMITS, keep_jobs_bytes=0)
    assert kept.retention.clear_up() == 1
    assert left() == ["", "", "c", ""], "nobody has fetched it"
    assert kept.store.taken() == {"cyd": 3_998}


def test_any_number_of_small_jobs_makes_room(kept: Kept):
    for k in range(500):
        kept.done(f"{k} ", 19, fetched=k % 2 == 0)
    kept.done("large", 4_700)
    left = kept.names().split()
    assert left[-1] == "large"
    assert sum(int(name) % 2 == 1 for name in left[:-1]) == 250, "what was not fetched is there"
    kept.clock.time += 90_000
    assert kept.retention.clear_up() == len(left)
