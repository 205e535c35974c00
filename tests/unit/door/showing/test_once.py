"""What is made once for all who ask."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.waiting import wait_until

from gateway.door.showing.once import Once
from gateway.errors import RequestError
from gateway.execution.content import FileContent


def test_what_was_made_is_not_made_again():
    once = Once(100)
    assert once.kept("key") is None
    assert once.get("key", lambda: b"made") == b"made"
    assert once.get("key", lambda: b"made again") == b"made"
    assert once.kept("key") == b"made"
    assert once.get("other", lambda: b"") == b""


def test_what_was_asked_for_last_is_kept_up_to_a_number_of_bytes():
    once = Once(10)
    for key in "abc":
        once.get(key, lambda: b"four")
        once.kept("a")
    assert [key for key in "abc" if once.kept(key)] == ["a", "c"]
    once.get("large", lambda: b"x" * 11)
    assert once.kept("large") is None
    assert [key for key in "abc" if once.kept(key)] == ["a", "c"]


def test_files_count_with_their_size():
    once = Once(10)
    file = FileContent()
    file.append(b"x" * 8)
    assert once.get("file", lambda: file) is file
    once.get("key", lambda: b"four")
    assert once.kept("file") is None


@pytest.mark.parametrize("fails", [False, True])
def test_who_asks_meanwhile_gets_the_same(fails: bool):
    once, begun, may_end, made = Once(100), threading.Event(), threading.Event(), []

    def make() -> bytes:
        made.append(None)
        begun.set()
        may_end.wait(30)
        if fails:
            raise RequestError("there is nothing to draw")
        return b"made"

    def get() -> object:
        try:
            return once.get("key", make)
        except RequestError as exc:
            return exc.message

    with ThreadPoolExecutor(20) as threads:
        first = threads.submit(get)
        begun.wait(30)
        others = [threads.submit(get) for _ in range(19)]
        wait_until(lambda: all(other.running() for other in others), "all to ask")
        may_end.set()
        found = {future.result(30) for future in [first, *others]}
    if fails:
        assert found == {"there is nothing to draw"}
        assert once.kept("key") is None
    else:
        assert (found, len(made)) == ({b"made"}, 1)
