"""What is not kept goes: the old, and of the rest the oldest of whoever has the most."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import replace

import pytest

from gateway.door.comparisons.kept import Kept
from gateway.door.comparisons.retention import clear_up
from gateway.door.comparisons.store import ComparisonStore, Stored, Wanted
from gateway.protocol.door import ComparisonLimits, ComparisonState

NEW = Stored(id="", owner="", caller="", created=0.0, circuits=("c",), simulators=("s",))


@pytest.fixture
def store() -> Iterator[ComparisonStore]:
    with contextlib.closing(ComparisonStore(":memory:")) as opened:
        yield opened


def end(store: ComparisonStore, name: str, *, owner: str = "ada", at: float = 1000.0, size: int = 0) -> None:
    number = store.add(replace(NEW, id=name, owner=owner), Kept(b"", 0))
    record = Kept(os.urandom(size), size)
    store.end(replace(NEW, number=number, state=ComparisonState.FINISHED, ended=at, has_record=True), record)


def names(store: ComparisonStore) -> list[str]:
    return [stored.id for stored in store.page(Wanted(), None, 1000)][::-1]


def test_old_ones_go_and_what_has_not_ended_stays(store: ComparisonStore):
    store.add(replace(NEW, id="queued"), Kept(b"", 0))
    end(store, "old", at=100.0)
    end(store, "young", at=900.0)
    assert clear_up(store, ComparisonLimits(keep_s=500.0), 1000.0) == 1
    assert names(store) == ["queued", "young"]


def test_beyond_the_number_the_oldest_of_whoever_has_the_most_go(store: ComparisonStore):
    for k in range(6):
        end(store, f"a{k}")
    for k in range(2):
        end(store, f"b{k}", owner="bob")
    assert clear_up(store, ComparisonLimits(keep_number=5), 1000.0) == 3
    assert names(store) == ["a3", "a4", "a5", "b0", "b1"]
    assert clear_up(store, ComparisonLimits(keep_number=2), 1000.0) == 3
    assert names(store) == ["a5", "b1"]


def test_beyond_the_bytes_so_many_go_as_have_to(store: ComparisonStore):
    for k in range(4):
        end(store, f"a{k}", size=1000)
    end(store, "b", owner="bob", size=1500)
    assert clear_up(store, ComparisonLimits(keep_bytes=3500), 1000.0) == 2
    assert names(store) == ["a2", "a3", "b"]
    assert clear_up(store, ComparisonLimits(keep_bytes=0), 1000.0) == 3


def test_nothing_goes_without_need(store: ComparisonStore):
    end(store, "a", size=1000)
    assert clear_up(store, ComparisonLimits(keep_bytes=1000, keep_number=1), 1000.0) == 0
