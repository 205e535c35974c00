"""Waits for a condition, which the test names; no test waits in another way.

tests/benchmarks measures how long things take. The deadline here is no bound: it is far longer than anything takes on
a loaded machine, and only ends the wait for a condition that never holds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

DEADLINE_S = 60.0

T = TypeVar("T")


def wait_until(
    condition: Callable[[], T],
    what: str | Callable[[], object],
    *,
    deadline_s: float = DEADLINE_S,
    look_every_s: float = 0.01,
) -> T:
    """Return the value of a condition as soon as that is true.

    Args:
        condition: called again and again.
        what: what the test waits for, for the message of a failure, or a function that describes the state then.
        deadline_s: seconds after which the test fails.
        look_every_s: seconds between two calls.
    """
    deadline = time.monotonic() + deadline_s
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(
                f"within {deadline_s:g} s this did not come true: {what() if callable(what) else what}"
            )
        time.sleep(look_every_s)
    return value
