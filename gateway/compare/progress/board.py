"""The board: what is known of all simulators at a time, as the events told it. Displays draw it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from gateway.compare.progress.events import Event, Stage

ENDS = frozenset({Stage.FINISHED, Stage.FAILED})


@dataclass(frozen=True, slots=True)
class Line:
    """What is known of one simulator, or of the work on the results of all.

    Args:
        simulator: its name; empty for the work on the results.
        stage: what it does.
        share: how much of all its circuits is done, from 0 to 1; ``None`` where nobody knows.
        seconds: the seconds that it has spent.
    """

    simulator: str
    stage: Stage = Stage.QUEUED
    share: float | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class View:
    """Everything that a display draws.

    Args:
        lines: one for each simulator in the caller's order, and one for the work on the results while that goes on.
        finished: how many simulators have run all circuits, failed ones included.
        simulators: how many there are.
        sentence: what was said last about everything so far.
        seconds: since the start.
        left_s: about how many seconds are left; ``None`` where nobody knows.
    """

    lines: tuple[Line, ...]
    finished: int
    simulators: int
    sentence: str
    seconds: float
    left_s: float | None

    @property
    def share(self) -> float:
        """How much of all runs is done, from 0 to 1."""
        lines = self.lines[: self.simulators]
        return sum(1.0 if line.stage in ENDS else line.share or 0.0 for line in lines) / max(len(lines), 1)


@dataclass(slots=True)
class _State:
    """One simulator's line, and what it is made of."""

    line: Line
    ends: dict[str, Event] = field(default_factory=dict)
    """Circuit -> the event that ended its run."""
    changed: float = 0.0


class Board:
    """Gathers events, and gives a view of them at any time; threads may use it together.

    Args:
        simulators: the names of the simulators.
        circuits: the names of the circuits.
        clock: seconds of a clock that never goes back.
    """

    def __init__(
        self, simulators: Sequence[str], circuits: Sequence[str], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._began = clock()
        self._circuits = max(len(circuits), 1)
        self._states = {name: _State(Line(name)) for name in simulators}
        self._whole: _State | None = None
        self._sentence = ""
        self._lock = threading.Lock()

    def update(self, event: Event) -> Line:
        """Take an event, and return the line that it changed."""
        with self._lock:
            if event.simulator:
                state = self._states.setdefault(event.simulator, _State(Line(event.simulator)))
                state.line = self._line(state, event)
                self._whole = None
            else:
                state = self._whole = _State(Line("", event.stage, _share(event), event.seconds))
            state.changed = self._clock()
            return state.line

    def say(self, sentence: str) -> None:
        """Keep a sentence about everything so far."""
        with self._lock:
            self._sentence = sentence

    def view(self) -> View:
        """Return what is known now; the seconds of those that run have gone on since their last event."""
        with self._lock:
            states = [*self._states.values(), *([self._whole] if self._whole is not None else [])]
            lines = tuple(self._now(state) for state in states)
            seconds, sentence, number = self._clock() - self._began, self._sentence, len(self._states)
        finished = sum(line.stage in ENDS for line in lines[:number])
        view = View(lines, finished, number, sentence, seconds, None)
        return replace(view, left_s=seconds / view.share - seconds) if finished and view.share < 1 else view

    def _line(self, state: _State, event: Event) -> Line:
        is_end = event.stage in ENDS
        if is_end:
            state.ends[event.circuit] = event
        done, share = len(state.ends), 0.0 if is_end else _share(event)
        if done or self._circuits > 1:
            share = min((done + (share or 0.0)) / self._circuits, 1.0)
        seconds = sum(end.seconds for end in state.ends.values()) + (0.0 if is_end else event.seconds)
        return Line(event.simulator, self._stage(state, event.stage), share, seconds)

    def _stage(self, state: _State, stage: Stage) -> Stage:
        """Return the stage over all circuits: who has ended one is queued for the next."""
        if stage not in ENDS:
            return stage
        if len(state.ends) < self._circuits:
            return Stage.QUEUED
        is_failed = any(end.stage is Stage.FAILED for end in state.ends.values())
        return Stage.FAILED if is_failed else Stage.FINISHED

    def _now(self, state: _State) -> Line:
        if state.line.stage in ENDS | {Stage.QUEUED}:
            return state.line
        return replace(state.line, seconds=state.line.seconds + self._clock() - state.changed)


def _share(event: Event) -> float | None:
    return min(event.done / event.total, 1.0) if event.total > 0 else None
