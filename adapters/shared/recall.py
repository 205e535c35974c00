"""Remembers what gates did to small states: a circuit that repeats itself comes back to the same states.

Rounds of measurements leave few different states, round after round, and a simulator may take a millisecond to be told
what to do to two qubits. What is found here depends on nothing but the states, so that it changes no counts.
"""

from __future__ import annotations

from collections import defaultdict

from adapters.shared.populations import SAME, SegmentKey
from adapters.shared.states import State, distance, fingerprint

_MOST_BYTES = 2**23
_MOST_STATES = 256
_MOST_OF_A_SEGMENT = 32
_TRIES = 64
_WORTH_IT = 8
"""One of so many searches has to succeed."""


class Recall:
    """The states before and after the segments of one run.

    Args:
        state_bytes: the memory of a state; large ones are not remembered.
    """

    def __init__(self, state_bytes: int) -> None:
        self._most = min(_MOST_BYTES // (2 * state_bytes), _MOST_STATES)
        self._known: defaultdict[SegmentKey, list[tuple[float, State, State]]] = defaultdict(list)
        self._last: tuple[State, float] | None = None
        self._number = self._searches = self._found = 0

    def _fingerprint(self, state: State) -> float:
        """Return the fingerprint of a state; what is looked for in vain is remembered next."""
        if self._last is None or self._last[0] is not state:
            self._last = state, fingerprint(state)
        return self._last[1]

    def _is_worth_it(self) -> bool:
        """Return whether states are small enough, and come back often enough."""
        comes_back = self._searches < _TRIES or self._found * _WORTH_IT >= self._searches
        return comes_back and self._most > _MOST_OF_A_SEGMENT

    def after(self, key: SegmentKey, state: State) -> State | None:
        """Return the state after a segment that began with such a state, if it is known."""
        if not self._is_worth_it():
            return None
        self._searches += 1
        number = self._fingerprint(state)
        for known, before, after in self._known[key]:
            if abs(known - number) <= 2 * SAME and distance(before, state) <= SAME:
                self._found += 1
                return after
        return None

    def remember(self, key: SegmentKey, before: State, after: State) -> None:
        """Remember what a segment did to a state; neither is modified from now on."""
        if not self._is_worth_it():
            return
        if self._number >= self._most:
            self._known.clear()
            self._number = 0
        if len(self._known[key]) < _MOST_OF_A_SEGMENT:
            self._known[key].append((self._fingerprint(before), before, after))
            self._number += 1
