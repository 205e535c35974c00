"""Shows a line of progress on standard error for work that takes longer than a second."""

from __future__ import annotations

import sys
import threading
import time
from typing import Self

QUIET_S = 1.0
_REFRESH_S = 0.2
_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


class Progress:
    """Shows the current step of some work, once the work has taken a second.

    On a terminal it redraws one line and removes it at the end; elsewhere it prints a line for each step.

    Args:
        step: the first step, such as ``starting``.
    """

    def __init__(self, step: str) -> None:
        self._step = step
        self._start_time = time.monotonic()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._show, daemon=True)

    def show(self, step: str) -> None:
        """Show another step from now on."""
        self._step = step

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _show(self) -> None:
        if self._end.wait(QUIET_S):
            return
        terminal = sys.stderr.isatty()
        last_step = ""
        frame = 0
        while True:
            if terminal:
                seconds = time.monotonic() - self._start_time
                sys.stderr.write(f"\r\x1b[2K{_FRAMES[frame % len(_FRAMES)]} {self._step} ({seconds:.0f} s)")
                sys.stderr.flush()
                frame += 1
            elif self._step != last_step:
                last_step = self._step
                print(f"gateway: {last_step}", file=sys.stderr, flush=True)
            if self._end.wait(_REFRESH_S):
                break
        if terminal:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()
