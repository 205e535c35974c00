"""A word on standard error about work that takes longer than a second."""

from __future__ import annotations

import sys
import threading
import time
from typing import Self

QUIET_S = 1.0
_REFRESH_S = 0.2
_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


class Progress:
    """Shows what is being done, once it has taken a second.

    On a terminal one line is redrawn and removed at the end; elsewhere each new word is a line.

    Args:
        what: the first word.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._began = time.monotonic()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._show, daemon=True)

    def say(self, what: str) -> None:
        """Change the word."""
        self._what = what

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _show(self) -> None:
        if self._ended.wait(QUIET_S):
            return
        terminal = sys.stderr.isatty()
        shown = ""
        frame = 0
        while True:
            if terminal:
                seconds = time.monotonic() - self._began
                sys.stderr.write(f"\r\x1b[2K{_FRAMES[frame % len(_FRAMES)]} {self._what} ({seconds:.0f} s)")
                sys.stderr.flush()
                frame += 1
            elif self._what != shown:
                shown = self._what
                print(f"gateway: {shown}", file=sys.stderr, flush=True)
            if self._ended.wait(_REFRESH_S):
                break
        if terminal:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()
