"""Terminals for tests: one in memory, and a real one of the system."""

from __future__ import annotations

import io
import os
import termios
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Screen(io.StringIO):
    """A stream in memory that says that it is a terminal."""

    def __init__(self, encoding: str = "utf-8") -> None:
        super().__init__()
        self._encoding = encoding

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._encoding

    def isatty(self) -> bool:
        return True


class PseudoTerminal:
    """A terminal of the system: what is written to ``stream`` arrives in ``output``."""

    def __init__(self, columns: int) -> None:
        self._master, slave = os.openpty()
        termios.tcsetwinsize(slave, (24, columns))
        self.stream = os.fdopen(slave, "w", encoding="utf-8")
        self.output = ""
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        while True:
            try:
                content = os.read(self._master, 65536)
            except OSError:  # the other side is closed
                return
            self.output += content.decode("utf-8", "replace")

    def close(self) -> None:
        self.stream.close()
        self._thread.join()
        os.close(self._master)


@contextmanager
def pseudo_terminal(columns: int = 80) -> Iterator[PseudoTerminal]:
    """Open a terminal of the system, and close it at the end."""
    terminal = PseudoTerminal(columns)
    try:
        yield terminal
    finally:
        if not terminal.stream.closed:
            terminal.close()
