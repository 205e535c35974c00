from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest

from gateway.execution.fair_queue import FairQueue, WaitingQueue


def queue(*items: tuple[str, int]) -> FairQueue[int]:
    made: FairQueue[int] = FairQueue()
    for caller, item in items:
        made.put(caller, item)
    return made


def drained(made: FairQueue[int]) -> list[int]:
    return [item for item in iter(made.take, None)]  # noqa: C416 - list() would show the sentinel less plainly


def test_one_caller_is_served_in_order():
    assert drained(queue(("a", 1), ("a", 2), ("a", 3))) == [1, 2, 3]


def test_callers_take_turns_however_many_things_one_of_them_waits_with():
    made = queue(*[("greedy", k) for k in range(100)], ("modest", 1000), ("third", 2000))
    assert [made.take() for _ in range(5)] == [0, 1000, 2000, 1, 2]
    made.put("modest", 1001)
    assert [made.take() for _ in range(2)] == [3, 1001]


def test_what_is_removed_is_not_served_and_counts_no_more():
    made = queue(("a", 1), ("b", 2), ("a", 3))
    assert made.remove("a", 1)
    assert not made.remove("a", 1)
    assert not made.remove("c", 1)
    assert made.remove("b", 2)
    assert (len(made), drained(made), made.take()) == (1, [3], None)


def test_a_free_thing_is_handed_over_at_once_and_the_longest_free_first():
    line: WaitingQueue[str] = WaitingQueue()
    line.give("first")
    line.give("second")
    assert line.has_free
    assert [line.take("a", 0), line.take("a", 0)] == ["first", "second"]
    assert not line.has_free


def test_who_waits_too_long_is_told_and_leaves_the_line():
    line: WaitingQueue[str] = WaitingQueue()
    with pytest.raises(TimeoutError):
        line.take("a", 0.01)
    assert len(line) == 0
    line.give("thing")
    assert line.take("b", 0) == "thing"


def test_those_who_wait_are_served_in_turns_between_callers():
    line: WaitingQueue[int] = WaitingQueue()
    served: list[str] = []

    def wait(caller: str) -> None:
        line.take(caller, None)
        served.append(caller)

    with ThreadPoolExecutor(3) as threads:
        for number, caller in enumerate(("greedy", "greedy", "modest"), 1):
            threads.submit(wait, caller)
            while len(line) < number:
                threading.Event().wait(0.001)
        for number in range(1, 4):
            line.give(number)
            while len(served) < number:
                threading.Event().wait(0.001)
    assert served == ["greedy", "modest", "greedy"]


def test_a_closed_line_sends_everybody_away_with_nothing():
    line: WaitingQueue[str] = WaitingQueue()
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(line.take, "a", None)
        while not len(line):
            threading.Event().wait(0.001)
        line.close()
        assert waiting.result(5) is None
    assert line.take("a", None) is None


def test_nothing_is_lost_or_handed_over_twice_under_many_threads():
    line: WaitingQueue[int] = WaitingQueue()
    for thing in range(3):
        line.give(thing)
    held: set[int] = set()
    lock = threading.Lock()

    def use(caller: str) -> None:
        for _ in range(200):
            thing = line.take(caller, 10)
            with lock:
                assert thing not in held
                held.add(thing)
            with lock:
                held.remove(thing)
            line.give(thing)

    with ThreadPoolExecutor(8) as threads:
        for done in [threads.submit(use, f"caller {k % 3}") for k in range(8)]:
            done.result(30)
    assert sorted(line.take("a", 0) for _ in range(3)) == [0, 1, 2]


@pytest.mark.parametrize("seed", range(20))
def test_how_many_are_taken_before_an_item_is_known(seed: int):
    random = Random(seed)
    made = queue(*[(random.choice("abc"), number) for number in range(12)])
    for _ in range(random.randrange(4)):
        made.take()
    callers = {item: caller for caller, items in made._waiting.items() for item in items}
    before = {item: made.before(caller, item) for item, caller in callers.items()}
    assert before == {item: place for place, item in enumerate(drained(made))}
    assert made.before("a", 0) is None
