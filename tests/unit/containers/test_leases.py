"""What a process does with signals while it holds containers, and what it leaves alone."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from gateway.containers.container import Lease
from gateway.containers.leases import SIGNALS, Leases


class FakeFleet:
    """Notes what is given back to it."""

    def __init__(self) -> None:
        self.released: list[Lease] = []

    def release(self, lease: Lease) -> None:
        self.released.append(lease)

    def remove_orphans(self) -> None:
        pass


def lease(user: str) -> Lease:
    return Lease("id", "name", "qulacs", 1, None, user, "volume", fresh=True)


@pytest.fixture(autouse=True)
def defaults() -> Iterator[None]:
    """The signals as a new process has them, and afterwards as they were."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def leases(monkeypatch: pytest.MonkeyPatch) -> Leases:
    monkeypatch.setattr("gateway.containers.leases.atexit.register", lambda _function: None)
    return Leases()


def handlers() -> list[Any]:
    return [signal.getsignal(number) for number in SIGNALS]


def test_the_default_comes_back_with_the_last_lease(leases: Leases):
    fleet, first, second = FakeFleet(), lease("first"), lease("second")
    leases.add(fleet, first)
    leases.add(fleet, second)
    leases.give_back(first)
    assert all(map(callable, handlers()))
    with pytest.raises(SystemExit) as caught:
        signal.raise_signal(signal.SIGTERM)
    assert caught.value.code == 128 + signal.SIGTERM
    leases.give_back(second)
    leases.give_back(second)
    assert handlers() == [signal.SIG_DFL, signal.SIG_DFL]
    assert fleet.released == [first, second]
    leases.add(fleet, first)
    assert all(map(callable, handlers())), "and ours with the next one"
    leases.give_back(first)


def test_a_handler_of_the_program_and_an_ignored_signal_stay(leases: Leases):
    def mine(_number: int, _frame: object) -> None:
        pass

    signal.signal(signal.SIGTERM, mine)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    leases.add(FakeFleet(), lease("first"))
    assert handlers() == [mine, signal.SIG_IGN]
    leases.give_back(lease("first"))
    assert handlers() == [mine, signal.SIG_IGN]


def test_a_handler_that_the_program_sets_later_stays_too(leases: Leases):
    leases.add(FakeFleet(), lease("first"))
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    leases.give_back(lease("first"))
    assert handlers() == [signal.SIG_IGN, signal.SIG_DFL]


def test_only_the_main_thread_changes_signals(leases: Leases):
    fleet = FakeFleet()

    def elsewhere(function: Any, *arguments: object) -> None:
        thread = threading.Thread(target=function, args=arguments)
        thread.start()
        thread.join()

    elsewhere(leases.add, fleet, lease("first"))
    assert handlers() == [signal.SIG_DFL, signal.SIG_DFL]
    leases.add(fleet, lease("second"))
    assert all(map(callable, handlers())), "a later lease of the main thread does"
    elsewhere(leases.give_back, lease("first"))
    elsewhere(leases.give_back, lease("second"))
    assert fleet.released == [lease("first"), lease("second")]
    leases.add(fleet, lease("third"))
    leases.give_back(lease("third"))
    assert handlers() == [signal.SIG_DFL, signal.SIG_DFL]


HOLD = """
import signal
from gateway.containers.container import Lease
from gateway.containers.leases import LEASES

class Fleet:
    def release(self, lease):
        print("given back:", lease.user)
    def remove_orphans(self):
        pass

LEASES.add(Fleet(), Lease("id", "name", "qulacs", 1, None, "first", "volume", fresh=True))
print("holds", flush=True)
signal.pause()
"""


def test_a_process_that_is_told_to_end_gives_back_first():
    process = subprocess.Popen([sys.executable, "-c", HOLD], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "holds\n"
    process.send_signal(signal.SIGHUP)
    assert process.communicate()[0] == "given back: first\n"
    assert process.returncode == 128 + signal.SIGHUP
