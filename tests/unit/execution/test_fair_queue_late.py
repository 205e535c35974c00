"""A caller may be called at the very moment at which they give up waiting."""

from __future__ import annotations

import threading

import pytest
from support.waiting import wait_until

from gateway.execution import fair_queue as line_module
from gateway.execution.fair_queue import Line


def test_what_is_handed_over_at_the_last_moment_is_not_lost(monkeypatch: pytest.MonkeyPatch):
    line: Line[str] = Line()
    giver = threading.Thread(target=line.give, args=("worker",))
    call = line_module._Ticket.call

    def slowly(ticket, thing):
        over.set()
        ended.wait(0.3)  # a caller who waits sees now that their time is over
        call(ticket, thing)

    def late(ticket, timeout_s):
        giver.start()
        assert over.wait(10)
        return False

    over, ended = threading.Event(), threading.Event()
    monkeypatch.setattr(line_module._Ticket, "call", slowly)
    monkeypatch.setattr(line_module._Ticket, "wait", late)
    assert line.take("somebody", 0.1) == "worker"
    wait_until(lambda: not giver.is_alive(), "the giver to end")
