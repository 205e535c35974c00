"""The events of a comparison while it runs, and the interface of what shows them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from gateway.compare.record import Record


class Stage(StrEnum):
    """What a simulator does, or what is done with the results of all of them."""

    QUEUED = "queued"
    STARTING = "starting"
    RUNNING = "running"
    EXACT = "exact"
    """It computes exact results."""
    FINISHED = "finished"
    FAILED = "failed"

    COMPARING = "comparing"
    DIAGNOSING = "diagnosing"
    REDUCING = "reducing"


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened in a comparison.

    Args:
        simulator: the simulator that it happened to; empty for the whole comparison.
        circuit: the circuit's name; empty where it is about all of them.
        stage: what begins with the event, or goes on.
        done: how much of the stage is done, in units of its own, such as runs.
        total: how much there is to do; 0 where nobody knows.
        seconds: the seconds that the simulator has spent on this circuit, or that the stage has taken.
    """

    simulator: str = ""
    circuit: str = ""
    stage: Stage
    done: int = 0
    total: int = 0
    seconds: float = 0.0


class Progress:
    """Hears what happens in a comparison; this base class ignores all of it.

    The methods may be called from several threads at the same time, and must return at once.
    """

    def start(self, simulators: Sequence[str], circuits: Sequence[str]) -> None:
        """Begin: these simulators will run these circuits."""

    def update(self, event: Event) -> None:
        """Hear of an event."""

    def sentence(self, text: str) -> None:
        """Show a sentence about everything so far, such as ``none differs so far``."""

    def partial(self, so_far: Callable[[], Record]) -> None:
        """Hear that a simulator has ended a circuit, and how to learn what has finished by then.

        Args:
            so_far: makes the record of that moment, whenever it is called and in whatever thread: the circuits that
                have begun, with the counts, distances and times of simulators that have ended them. Their verdict is
                ``finished``, for nobody is judged before all have run. It takes as long as a look at all these counts.
        """

    def finish(self) -> None:
        """End, however it ended; a second call does nothing."""


class NoProgress(Progress):
    """Shows nothing."""
