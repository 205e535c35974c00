"""Progress that a thread draws from a board, once the comparison has taken a second."""

from __future__ import annotations

import contextvars
import threading
from abc import abstractmethod
from collections.abc import Iterator, Sequence

from gateway.compare.progress.board import Board
from gateway.compare.progress.events import Event, Progress, Stage

QUIET_S = 1.0
"""What ends sooner shows nothing."""

MARKS = {Stage.FINISHED: "✓", Stage.FAILED: "!", Stage.QUEUED: "…"}
"""The marks of stages in which a simulator does nothing; those in which it does something have :data:`BUSY`."""

BUSY = "▸"


class DrawnProgress(Progress):
    """Keeps a board of what happens, and a thread that draws it; what is drawn, and where, is said by subclasses."""

    def __init__(self) -> None:
        self._board = Board((), ())
        self._end = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, simulators: Sequence[str], circuits: Sequence[str]) -> None:
        """Begin; a second later a thread begins to draw."""
        self.finish()
        self._board, self._end = Board(simulators, circuits), threading.Event()
        context = contextvars.copy_context()  # it tells a notebook's kernel which cell the output belongs to
        self._thread = threading.Thread(target=context.run, args=(self._wait_and_show,), name="progress", daemon=True)
        self._thread.start()

    def update(self, event: Event) -> None:
        """Take an event, which the next drawing shows."""
        self._board.update(event)

    def sentence(self, text: str) -> None:
        """Show a sentence; its first clause is bold."""
        self._board.say(text)

    def finish(self) -> None:
        """Draw for the last time."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._end.set()
            thread.join()

    def _wait_and_show(self) -> None:
        if not self._end.wait(QUIET_S):
            self._show()

    def _rounds(self, seconds: float) -> Iterator[bool]:
        """Yield every so many seconds, and for the last time at the end; each time, whether this is the last."""
        is_last = False
        while not is_last:
            yield is_last
            is_last = self._end.wait(seconds)
        yield is_last

    @abstractmethod
    def _show(self) -> None:
        """Draw until the end, in the thread."""
