"""Progress on standard error: lines that are redrawn in place, or one line for each event where that is no terminal."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO

from gateway.compare.progress.board import ENDS, Line, View
from gateway.compare.progress.drawn import BUSY, MARKS, DrawnProgress
from gateway.compare.progress.events import Event, Stage
from gateway.look.terminal import Terminal

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

_REFRESH_S = 0.2
_NARROWEST_WITH_BAR = 60
_THREE_DIGITS = 100
_STAGE, _PER_CENT = len("starting"), len("  100 %")
_STYLES = {Stage.FINISHED: "", Stage.FAILED: "red", Stage.QUEUED: "dim"}


class TerminalProgress(DrawnProgress):
    """Shows a line for each simulator, and removes the lines at the end.

    Nothing is switched in the terminal that a killed process would leave switched, such as the cursor.

    Args:
        stream: the stream to write to; standard error by default.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        super().__init__()
        self._stream = stream
        self._circuits: Sequence[str] = ()
        self._lines: deque[str] = deque()

    def start(self, simulators: Sequence[str], circuits: Sequence[str]) -> None:
        """Begin; a second later a thread begins to draw."""
        self._circuits, self._lines = circuits, deque()
        super().start(simulators, circuits)

    def update(self, event: Event) -> None:
        """Take an event, which the next drawing shows."""
        super().update(event)
        if event.stage in ENDS:
            circuit = f" {event.circuit}" if len(self._circuits) > 1 else ""
            self._lines.append(f"{event.simulator} {event.stage}{circuit}, {clock(event.seconds)}")

    def _show(self) -> None:
        with suppress(OSError, ValueError):  # nobody can see the progress: the comparison goes on
            stream = self._stream or sys.stderr
            if Terminal(stream).is_redrawable:
                self._redraw(stream)
            else:
                self._write_lines(Terminal(stream))

    def _redraw(self, stream: TextIO) -> None:
        height = 0
        for is_last in self._rounds(_REFRESH_S):
            terminal = Terminal(stream)  # its width may have changed
            picture = "" if is_last else terminal.render(*draw(self._board.view(), terminal))
            stream.write((f"\x1b[{height}F\x1b[J" if height else "") + picture)
            stream.flush()
            height = picture.count("\n")

    def _write_lines(self, terminal: Terminal) -> None:
        for _ in self._rounds(_REFRESH_S):
            while self._lines:
                terminal.stream.write(terminal.spell(f"gateway: {self._lines.popleft()}") + "\n")
            terminal.stream.flush()


def draw(view: View, terminal: Terminal) -> list[RenderableType]:
    """Return what a terminal shows of a view: the lines that fit, and a sentence."""
    lines, room = view.lines, max(terminal.height - 3, 1)  # two lines for the sentence, one for the cursor
    if len(lines) > room:
        lines = tuple(line for line in lines if line.stage not in MARKS)[:room]
    return [_table(lines, terminal), _sentence(view, terminal)]


def _table(lines: Sequence[Line], terminal: Terminal) -> Table:
    from rich.table import Table

    table = Table.grid()
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, overflow="ellipsis" if terminal.is_unicode else "crop")
    table.add_column(no_wrap=True, min_width=_STAGE)
    table.add_column(no_wrap=True, min_width=_bar_width(terminal) + _PER_CENT)  # rows must not jump
    table.add_column(no_wrap=True, justify="right")
    for line in lines:
        table.add_row(*_cells(line, terminal))
    return table


def _cells(line: Line, terminal: Terminal) -> list[Text]:
    """Return mark and name, stage, bar with per cent, and seconds of a line."""
    style = _STYLES.get(line.stage, "cyan")
    is_running = line.stage not in MARKS and line.share is not None
    return [
        terminal.text((MARKS.get(line.stage, BUSY), style), " "),
        terminal.text(line.simulator, "   "),
        terminal.text((str(line.stage), style)),
        terminal.text(*(_bar(line.share or 0.0, _bar_width(terminal)) if is_running else [])),
        terminal.text("" if line.stage is Stage.QUEUED else f"   {clock(line.seconds)}"),
    ]


def _bar_width(terminal: Terminal) -> int:
    """Return the columns of a bar, with the space before it; a narrow terminal has no room for one."""
    return int(0.4 * terminal.width) - 6 if terminal.width >= _NARROWEST_WITH_BAR else 0


def _bar(share: float, width: int) -> list[str | tuple[str, str]]:
    done = round(share * max(width - 2, 0))
    return ["  "[:width], ("━" * done, "cyan"), "─" * (width - 2 - done), f"  {100 * share:3.0f} %"]


def _sentence(view: View, terminal: Terminal) -> RenderableType:
    verb = "has" if view.finished == 1 else "have"
    clause, separator, rest = (view.sentence or f"{view.finished} of {view.simulators} {verb} finished.").partition(";")
    left = "" if view.left_s is None else f" About {_roughly(view.left_s)} left;"
    return terminal.sentence((clause, "bold"), separator, rest, (f"{left} Ctrl-C cancels.", "dim"), indent=2)


def clock(seconds: float) -> str:
    """Return seconds that go on: always with as many decimals, so that they do not jump."""
    return f"{seconds:,.1f} s"


def _roughly(seconds: float) -> str:
    """Return a duration with two digits, such as ``6 s``, ``12 min`` or ``3 h``."""
    minutes = seconds / 60
    if seconds < _THREE_DIGITS:
        return f"{max(seconds, 1):.0f} s"
    return f"{minutes:.0f} min" if minutes < _THREE_DIGITS else f"{minutes / 60:.0f} h"
