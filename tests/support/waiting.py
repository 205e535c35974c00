"""The one way in which tests wait: for a condition, which they name.

How long something takes is measured in tests/benchmarks. The deadline here is no bound that a test makes: it is
far longer than anything takes on a loaded machine, and ends the wait for what never comes.
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
    """Return what a condition gives as soon as that is true.

    Args:
        condition: asked again and again.
        what: is waited for, as the failure says it; or a function that describes how things stand then.
        deadline_s: after which the test fails.
        look_every_s: how often it is asked.
    """
    give_up = time.monotonic() + deadline_s
    while not (value := condition()):
        if time.monotonic() > give_up:
            raise AssertionError(
                f"within {deadline_s:g} s this did not come true: {what() if callable(what) else what}"
            )
        time.sleep(look_every_s)
    return value
