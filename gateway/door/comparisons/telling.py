"""Tells the door how far a comparison is, and what has finished, from a thread of the comparison's process."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Sequence

import msgspec

from gateway.compare.progress import Event, Progress
from gateway.compare.progress.board import Board, View
from gateway.compare.record import Record
from gateway.compare.verdict import Standing, standing, verdict_parts, whole
from gateway.door.comparisons.channel import Channel, Kind, Outcome, Said, dump
from gateway.door.comparisons.kept import Kept
from gateway.errors import LimitError
from gateway.look import numbers
from gateway.protocol.door import ComparisonProgress, SimulatorProgress

_LEAST_S, _MOST_S = 0.1, 1.0
"""Seconds between two messages: as soon as something has changed, and at the latest, since time goes on."""

_PARTIAL_EVERY_S = 0.5
_PAUSE_AFTER_PARTIAL = 9
"""What has finished is written again after so many times as long as that took: a large record costs a tenth at most."""

_STANDINGS = {
    Standing.AGREES: "agrees",
    Standing.DIFFERS: "differs",
    Standing.FAILED: "failed",
    Standing.REFUSED: "failed",
}
"""What a comparison amounts to -> the word for it in a list; all others are undecided."""


class Telling(Progress):
    """Keeps a board of what happens, and tells the door what is on it.

    Args:
        channel: to the door.
        max_record_bytes: a record that has more is not sent.
    """

    def __init__(self, channel: Channel, max_record_bytes: int) -> None:
        self._channel = channel
        self._max_record_bytes = max_record_bytes
        self._board = Board((), ())
        self._runs = 0
        self._so_far: Callable[[], Record] | None = None
        self._is_told = True
        self._partial_at = 0.0
        self._results = 0
        self._changed = threading.Event()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._tell_until_the_end, name="telling", daemon=True)

    def start(self, simulators: Sequence[str], circuits: Sequence[str]) -> None:
        """Begin to tell."""
        self._board = Board(simulators, circuits)
        self._runs = len(simulators) * len(circuits)
        self._thread.start()

    def update(self, event: Event) -> None:
        """Take an event."""
        self._board.update(event)
        self._changed.set()

    def sentence(self, text: str) -> None:
        """Take a sentence about everything so far."""
        self._board.say(text)
        self._changed.set()

    def partial(self, so_far: Callable[[], Record]) -> None:
        """Take what makes the record of what has finished."""
        self._so_far, self._is_told = so_far, False
        self._changed.set()

    def finish(self) -> None:
        """Tell no more."""
        self._end.set()
        self._changed.set()

    def cut_off(self) -> Outcome | None:
        """Return what there is of a comparison that was ended here; ``None`` if nothing has finished."""
        so_far = self._so_far
        return None if so_far is None else partial_outcome(so_far(), self._runs, self._max_record_bytes)

    def _tell_until_the_end(self) -> None:
        while not self._end.is_set():
            self._changed.wait(_MOST_S)
            self._changed.clear()
            with contextlib.suppress(OSError):  # the door has ended, and this process ends with it
                self._channel.send(Kind.PROGRESS, dump(self._said()))
            self._end.wait(_LEAST_S)

    def _said(self) -> Said:
        partial = None
        began = time.monotonic()
        if not self._is_told and began >= self._partial_at:
            self._is_told = True
            with contextlib.suppress(LimitError):  # which the record will meet in the end
                partial = self.cut_off()
            if partial is not None:
                self._results = partial.results
            ended = time.monotonic()
            self._partial_at = ended + max(_PARTIAL_EVERY_S, _PAUSE_AFTER_PARTIAL * (ended - began))
        return Said(progress=progress_of(self._board.view(), self._results), partial=partial)


def progress_of(view: View, results: int) -> ComparisonProgress:
    """Return how far a comparison is.

    Args:
        view: of its board.
        results: how many simulators there is something to show of.
    """
    left_s = None if view.left_s is None else round(view.left_s, 1)
    return ComparisonProgress(
        lines=tuple(
            SimulatorProgress(
                simulator=line.simulator, stage=str(line.stage), share=line.share, seconds=round(line.seconds, 2)
            )
            for line in view.lines[: view.simulators]
        ),
        stage=next((str(line.stage) for line in view.lines[view.simulators :]), ""),
        finished=view.finished,
        sentence=view.sentence,
        seconds=round(view.seconds, 2),
        left_s=left_s,
        results=results,
    )


def outcome(record: Record, max_bytes: int) -> Outcome:
    """Return a record as the door keeps it, and what a list says of it.

    Raises:
        LimitError: it is too large.
    """
    loud, quiet = verdict_parts(record)
    return _outcome(record, max_bytes, (loud, quiet), _STANDINGS.get(whole(record), "undecided"))


def partial_outcome(so_far: Record, runs: int, max_bytes: int) -> Outcome:
    """Return what there is of a comparison that was ended before anything was said of anybody.

    Args:
        so_far: the record of what has finished.
        runs: of how many, each of one circuit on one simulator.
        max_bytes: of a record.

    Raises:
        LimitError: it is too large.
    """
    finished = sum(standing(row) is not Standing.UNFINISHED for row in so_far.rows)
    told = f"{finished} of {numbers.several(runs, 'run')} had finished;", " nothing was compared."
    return _outcome(msgspec.structs.replace(so_far, interrupted=True), max_bytes, told, "undecided")


def _outcome(record: Record, max_bytes: int, told: tuple[str, str], standing_of_all: str) -> Outcome:
    text = msgspec.json.format(msgspec.json.encode(record), indent=1)
    if len(text) > max_bytes:
        raise LimitError(
            f"the record has {len(text):,} bytes, and at most {max_bytes:,} are kept: compare fewer circuits at once, "
            "or with fewer shots",
            limit="max_record_bytes",
            requested=len(text),
            allowed=max_bytes,
        )
    kept = Kept.of(text)
    results = {row.simulator for row in record.rows if standing(row) is not Standing.UNFINISHED}
    return Outcome(
        record=kept.body,
        size=kept.size,
        loud=told[0],
        quiet=told[1],
        standing=standing_of_all,
        interrupted=record.interrupted,
        results=len(results),
    )
