"""Questions are answered in processes that are killed if they take too long; the others never notice."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from support import desk
from support.waiting import wait_until

from gateway.door.reception import Begun, Reception, Sentences
from gateway.errors import BusyError, GatewayError, JobCancelled, JobTimeout, OutOfMemory, RequestError
from gateway.execution.content import FileContent, whole

SENTENCES = Sentences("it is busy", "it takes longer than {seconds}", "it is large", "they are broken")


@pytest.fixture(scope="module")
def reception() -> Iterator[Reception]:
    made = Reception(desk.NAME, SENTENCES, workers=2, timeout_s=60, memory_bytes=2**27, most_waiting=50)
    yield made
    made.close()


def test_a_question_has_its_answer(reception: Reception):
    assert reception.ask(b"echo something") == b"something"
    assert reception.ask(b"echo ") == b""
    with ThreadPoolExecutor(30) as threads:
        assert list(threads.map(reception.ask, [b"echo %d" % k for k in range(50)])) == [b"%d" % k for k in range(50)]


def test_a_large_answer_is_in_a_file(reception: Reception):
    answer = reception.ask(b"large 3000000")
    assert isinstance(answer, FileContent)
    assert whole(answer) == b"x" * 3_000_000


def test_errors_of_the_desk_are_raised_and_say_nothing_of_what_is_inside(reception: Reception):
    with pytest.raises(RequestError, match=r"^there is nothing to draw$"):
        reception.ask(b"refuse there is nothing to draw")
    with pytest.raises(GatewayError, match=r"failed unexpectedly: ZeroDivisionError") as caught:
        reception.ask(b"fail a secret")
    assert caught.value.status == 500
    assert "secret" not in str(caught.value)


def test_too_much_memory_is_said(reception: Reception):
    with pytest.raises(OutOfMemory, match=r"^it is large$") as caught:
        reception.ask(b"hold %d" % 2**30)
    assert caught.value.status == 507
    assert reception.ask(b"echo on") == b"on"


def test_a_process_that_ends_costs_nobody_else_an_answer(reception: Reception):
    with pytest.raises(GatewayError, match=r"^they are broken$"):
        reception.ask(b"exit")
    for pid in reception.pids():
        os.kill(pid, signal.SIGKILL)
    assert [reception.ask(b"echo on") for _ in range(4)] == [b"on"] * 4


def test_one_that_takes_too_long_is_killed_and_one_that_never_began_is_told_so():
    hasty = Reception(desk.NAME, SENTENCES, workers=1, timeout_s=1.0, memory_bytes=2**27, most_waiting=1)
    try:
        wait_until(lambda: hasty.ready, "processes that are ready")
        found: list[GatewayError] = []

        def ask() -> None:
            with pytest.raises(GatewayError) as caught:
                hasty.ask(b"turn")
            found.append(caught.value)

        threads = [threading.Thread(target=ask) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert {str(error) for error in found} == {"it takes longer than 1 s", "it is busy"}
        assert {type(error) for error in found} == {JobTimeout, BusyError}
        assert {error.status for error in found} == {504, 503}
    finally:
        hasty.close()


def test_one_that_ends_its_process_late_is_not_tried_for_longer_than_its_time():
    hasty = Reception(desk.NAME, SENTENCES, workers=3, timeout_s=1.0, memory_bytes=2**27, most_waiting=1)
    try:
        wait_until(lambda: hasty.ready, "processes that are ready")
        with pytest.raises(JobTimeout, match=r"^it takes longer than 1 s$"):
            hasty.ask(b"exit 0.4")
    finally:
        hasty.close()


def test_one_that_is_stopped_ends(reception: Reception):
    stop = Begun()
    with ThreadPoolExecutor(1) as threads:
        asked = threads.submit(reception.ask, b"turn", "somebody", stop)
        wait_until(lambda: stop.began is not None, "it to begin")
        stop.request()
        with pytest.raises(JobCancelled):
            asked.result(30)


def test_once_closed_nobody_waits():
    made = Reception(desk.NAME, SENTENCES, workers=1, timeout_s=60, memory_bytes=2**27, most_waiting=1)
    made.close()
    with pytest.raises(BusyError):
        made.ask(b"echo")
