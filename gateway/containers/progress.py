"""Shows the progress of a build or a pull on standard error."""

from __future__ import annotations

import shutil
import sys
import threading
import time
from typing import Self, TextIO

from gateway.containers.image import Step

QUIET_S = 1.0
_BAR = 24
_REFRESH_S = 0.2
_NARROWEST = 40


class BuildBar:
    """Shows a bar once the work has taken a second, so that steps from the cache show nothing.

    On a terminal the bar is one line, which is redrawn and removed at the end; elsewhere each step is a line.

    Args:
        stream: the stream to write to; standard error by default.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._terminal = self._stream.isatty()
        self._step: Step | None = None
        self._shown = ""
        self._began = 0.0
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def report(self, step: Step) -> None:
        """Show the next step; the first step starts the bar."""
        self._step = step
        if self._thread is None:
            self._began = time.monotonic()
            self._thread = threading.Thread(target=self._show, name="build-bar", daemon=True)
            self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._thread is not None:
            self._ended.set()
            self._thread.join()

    def _show(self) -> None:
        if self._ended.wait(QUIET_S):
            return
        while True:
            if self._step is not None:
                self._draw(self._step)
            if self._ended.wait(_REFRESH_S):
                break
        if self._terminal:
            self._stream.write("\r\x1b[2K")
            self._stream.flush()

    def _draw(self, step: Step) -> None:
        if self._terminal:
            width = max(shutil.get_terminal_size().columns - 1, _NARROWEST)
            seconds = time.monotonic() - self._began
            self._stream.write(f"\r\x1b[2K{f'{bar(step)} ({seconds:.0f} s) {step.what}'[:width]}")
            self._stream.flush()
            return
        line = f"gateway: image: step {step.number}/{step.of}" if step.of else f"gateway: image: {step.what}"
        if line != self._shown:
            self._shown = line
            print(line, file=self._stream, flush=True)


def bar(step: Step) -> str:
    """Return ``image ███░░░ 4/32``; without a count, ``image``."""
    if not step.of:
        return "image"
    filled = round(_BAR * (step.number - 1) / step.of)
    return f"image {'█' * filled}{'░' * (_BAR - filled)} {step.number}/{step.of}"
