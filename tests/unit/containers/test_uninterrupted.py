"""A call that an interruption meets is awaited, not cut off; what it returns or raises comes through."""

from __future__ import annotations

import itertools
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType

import pytest

from gateway.containers import uninterrupted
from gateway.containers.uninterrupted import Uninterrupted, call_uninterrupted


class Steps:
    """Does something in two steps, between which the main thread is interrupted."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.threads: set[int] = set()
        self.go_on = threading.Event()

    def create(self, name: str, *, size: int) -> str:
        self.threads.add(threading.get_ident())
        self.done.append(f"begin {name}")
        os.kill(os.getpid(), signal.SIGINT)
        self.go_on.wait(5)
        self.done.append(f"end {name} of {size}")
        return name


@pytest.fixture
def on_interruption() -> Iterator[Callable[[Callable[[], None]], None]]:
    """Calls a function when SIGINT arrives in the main thread, then raises KeyboardInterrupt."""

    def set_handler(function: Callable[[], None]) -> None:
        def handle(_number: int, _frame: FrameType | None) -> None:
            function()
            raise KeyboardInterrupt

        signal.signal(signal.SIGINT, handle)

    before = signal.getsignal(signal.SIGINT)
    yield set_handler
    signal.signal(signal.SIGINT, before)


def test_an_interrupted_call_goes_on_to_its_end_before_the_interruption_is_raised(on_interruption):
    steps = Steps()
    on_interruption(steps.go_on.set)

    with pytest.raises(KeyboardInterrupt):
        Uninterrupted(steps).create("x", size=3)

    assert steps.done == ["begin x", "end x of 3"]
    assert steps.threads.isdisjoint({threading.main_thread().ident})


def test_a_second_interruption_ends_the_wait_for_the_call(on_interruption):
    steps = Steps()

    def interrupt_again() -> None:
        if steps.done == ["begin x"]:
            steps.done.append("interrupted")
            threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()

    on_interruption(interrupt_again)

    with pytest.raises(KeyboardInterrupt):
        Uninterrupted(steps).create("x", size=3)

    assert steps.done == ["begin x", "interrupted"]
    steps.go_on.set()


def test_a_call_that_does_not_end_is_left_alone_after_a_while(on_interruption, monkeypatch):
    monkeypatch.setattr(uninterrupted, "SETTLE_S", 0.05)
    steps = Steps()
    on_interruption(lambda: None)

    with pytest.raises(KeyboardInterrupt):
        Uninterrupted(steps).create("x", size=3)

    assert steps.done == ["begin x"]
    steps.go_on.set()


def test_what_a_call_returns_or_raises_comes_through():
    assert Uninterrupted([3, 1, 2]).index(2) == 2
    with pytest.raises(ValueError, match="7 is not in list"):
        Uninterrupted([3, 1, 2]).index(7)


def test_another_thread_which_no_signal_interrupts_makes_its_calls_itself():
    threads: list[int] = []
    caller = threading.Thread(target=lambda: call_uninterrupted(lambda: threads.append(threading.get_ident())))

    caller.start()
    caller.join()

    assert threads == [caller.ident]


def test_an_interpreter_that_starts_no_more_threads_still_makes_the_call(monkeypatch):
    def refuse(*_words: object) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr(uninterrupted._thread, "start_new_thread", refuse)

    assert call_uninterrupted(lambda: 5) == 5


def test_an_interruption_between_any_two_functions_locks_nothing():
    """Interrupts the caller at the end of each Python function in turn, then calls again."""
    for returns in itertools.count():
        left = itertools.count(returns, -1)

        def interrupt(_frame: FrameType, event: str, _what: object, left: itertools.count[int] = left) -> None:
            if event == "return" and next(left) == 0:
                sys.setprofile(None)
                raise KeyboardInterrupt

        try:
            sys.setprofile(interrupt)
            assert call_uninterrupted(lambda: 1) == 1
            is_last = sys.getprofile() is not None
        except KeyboardInterrupt:
            is_last = False
        finally:
            sys.setprofile(None)
        assert call_uninterrupted(lambda: 2) == 2
        if is_last:
            break
    assert returns > 0
