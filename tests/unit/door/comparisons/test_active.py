"""Who watches a comparison in the memory of the door."""

from __future__ import annotations

from gateway.door.comparisons.active import ActiveComparison
from gateway.door.comparisons.info import describe
from gateway.door.comparisons.store import Stored
from gateway.protocol.door import ComparisonInfo

STORED = Stored(id="one", owner="ada", caller="ada", created=1.0, circuits=("c",), simulators=("a",))


def test_those_who_come_and_leave_while_nothing_happens_are_forgotten():
    active = ActiveComparison(STORED)
    heard: list[ComparisonInfo] = []
    for _ in range(1000):
        active.subscribe(heard.append, lambda: describe(active.stored)).close()
    stays = active.subscribe(heard.append, lambda: describe(active.stored))
    assert active._subscriptions == [stays]
    assert len(heard) == 1001
    active.tell(lambda: describe(active.stored))
    assert len(heard) == 1002
