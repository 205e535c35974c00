"""Divides a number of places among callers, so that no caller can keep the others out."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Iterator

_ONE_MORE_FOR = 8
"""For each so many places there is one more, for callers who hold none."""


def with_reserve(number: int) -> int:
    """Return how many places there are in all where one caller alone finds so many."""
    return number + number // _ONE_MORE_FOR


class FairPlaces:
    """A number of places, of which a caller holds at most half while others hold some.

    A caller who holds none finds a place even while another takes all they can get: there are some more for such
    callers.

    Args:
        number: how many places one caller alone finds.
    """

    def __init__(self, number: int) -> None:
        self._number = number
        self._held: Counter[str] = Counter()
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def place(self, caller: str) -> Iterator[bool]:
        """Yield whether there is a place for a caller, and keep it for them until the ``with`` statement ends."""
        has_place = self._take(caller)
        try:
            yield has_place
        finally:
            if has_place:
                self._give(caller)

    def _take(self, caller: str) -> bool:
        with self._lock:
            may_take = self._may_take(self._held[caller], self._held.total())
            if may_take:
                self._held[caller] += 1
            return may_take

    def _give(self, caller: str) -> None:
        with self._lock:
            self._held[caller] -= 1
            if not self._held[caller]:
                del self._held[caller]  # else every address that ever called would stay

    def _may_take(self, held: int, all_held: int) -> bool:
        if not held:
            return all_held < with_reserve(self._number)
        is_alone = held == all_held
        return all_held < self._number and (is_alone or held < self._number / 2)
