"""Estimates learn from comparisons that have ended, and nobody waits for it."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from support.waiting import wait_until

from gateway.door.comparisons.kept import Kept
from gateway.door.learning import MOST_WAITING, Learning
from gateway.protocol.door import ComparisonInfo, ComparisonState
from gateway.protocol.messages import decode

RECORD = Kept.of(b"{}")


class Circuits:
    """Notes what it is to learn from, when it may."""

    def __init__(self) -> None:
        self.learnt: list[Kept] = []
        self.may_learn = threading.Event()

    def observe(self, record: Kept) -> None:
        self.may_learn.wait(30)
        if record.size == 0:
            raise ValueError("no record")
        self.learnt.append(record)


@pytest.fixture
def circuits() -> Iterator[Circuits]:
    made = Circuits()
    yield made
    made.may_learn.set()


def ended(name: str, *, has_record: bool = True) -> ComparisonInfo:
    text = b'{"id": "%b", "state": "finished", "created": "2026-03-12T14:02:11Z"}' % name.encode()
    info = decode(ComparisonInfo, text)
    assert info.state is ComparisonState.FINISHED
    return ComparisonInfo(id=info.id, state=info.state, created=info.created, has_record=has_record)


def test_each_record_is_learnt_from_and_a_failure_costs_the_others_nothing(circuits: Circuits):
    records = {"a": RECORD, "damaged": Kept(b"", 0), "b": Kept.of(b"{ }")}
    learning = Learning(circuits)
    learning.start(records.get)
    circuits.may_learn.set()
    for name in ("a", "damaged", "gone", "b"):
        learning.take(ended(name))
    learning.take(ended("without", has_record=False))
    wait_until(lambda: circuits.learnt == [records["a"], records["b"]], lambda: f"two records: {circuits.learnt}")
    learning.close()


def test_who_tells_of_an_end_never_waits(circuits: Circuits):
    asked: list[str] = []

    def record_of(comparison_id: str) -> Kept:
        asked.append(comparison_id)
        return RECORD

    learning = Learning(circuits)
    learning.start(record_of)
    learning.take(ended("first"))
    wait_until(lambda: asked == ["first"], "the first to be learnt from")
    for k in range(2 * MOST_WAITING):
        learning.take(ended(str(k)))
    circuits.may_learn.set()
    wait_until(lambda: len(circuits.learnt) == 1 + MOST_WAITING, "those that had a place")
    learning.close()
    learning.take(ended("too late"))
    assert len(circuits.learnt) == 1 + MOST_WAITING
