"""Shows a line of progress on standard error for work that takes longer than a second."""

from __future__ import annotations

import sys
import threading
import time
from typing import Self

from gateway.look.terminal import Terminal, printable

QUIET_S = 1.0
_REFRESH_S = 0.2


class Progress:
    """Shows what some work does, once the work has taken a second.

    On a terminal it redraws one line and removes it at the end; elsewhere it prints a line.

    Args:
        step: what is done, such as ``starting qulacs``.
    """

    def __init__(self, step: str) -> None:
        self._step = step
        self._start_time = time.monotonic()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._show, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _show(self) -> None:
        if self._end.wait(QUIET_S):
            return
        terminal = Terminal(sys.stderr)
        if not terminal.is_redrawable:
            print(printable(f"gateway: {self._step}"), file=sys.stderr, flush=True)
            return
        is_last = False
        while not is_last:
            self._redraw(terminal)
            is_last = self._end.wait(_REFRESH_S)
        terminal.stream.write("\r\x1b[2K")
        terminal.stream.flush()

    def _redraw(self, terminal: Terminal) -> None:
        seconds = time.monotonic() - self._start_time
        line = terminal.spell(f"▸ {self._step}  {seconds:.0f} s")[: terminal.width - 1]
        mark = f"\x1b[36m{line[0]}\x1b[0m" if terminal.is_coloured else line[0]
        terminal.stream.write(f"\r\x1b[2K{mark}{line[1:]}")
        terminal.stream.flush()
