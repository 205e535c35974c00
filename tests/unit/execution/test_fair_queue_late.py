"""A caller may be called at the very moment at which they give up waiting."""

from __future__ import annotations

import threading

import pytest
from support.waiting import wait_until

from gateway.execution import fair_queue
from gateway.execution.fair_queue import WaitingQueue


class NoticingLock:
    """A lock that notices when the caller asks for it again, after they have given up waiting."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.caller = threading.current_thread()
        self.requests = 0
        self.given_up = threading.Event()

    def __enter__(self) -> None:
        if threading.current_thread() is self.caller:
            self.requests += 1
            if self.requests > 1:
                self.given_up.set()
        self.lock.acquire()

    def __exit__(self, *_: object) -> None:
        self.lock.release()


def test_what_is_handed_over_at_the_last_moment_is_not_lost(monkeypatch: pytest.MonkeyPatch):
    queue: WaitingQueue[str] = WaitingQueue()
    lock, over = NoticingLock(), threading.Event()
    giver = threading.Thread(target=queue.give, args=("worker",))
    call = fair_queue._Ticket.call

    def slowly(ticket, thing):
        over.set()
        assert lock.given_up.wait(10)
        call(ticket, thing)

    def late(ticket, timeout_s):
        giver.start()
        assert over.wait(10)
        return False

    monkeypatch.setattr(queue, "_lock", lock)
    monkeypatch.setattr(fair_queue._Ticket, "call", slowly)
    monkeypatch.setattr(fair_queue._Ticket, "wait", late)
    assert queue.take("somebody", 0.1) == "worker"
    wait_until(lambda: not giver.is_alive(), "the giver to end")
