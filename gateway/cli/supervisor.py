"""Runs several servers, each in a process of its own, and starts again what ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import FrameType
from typing import Any

from gateway.settings import DoorSettings, ListenerSettings, all_settings

LOOK_EVERY_S = 0.2
"""Seconds between two looks at the processes."""

LEAST_PAUSE_S, MOST_PAUSE_S = 0.5, 30.0
"""Seconds before a process is started again; each time that it ends soon, twice as many."""

STEADY_S = 10.0
"""A process that has run for so many seconds did not end soon."""

ENDS_WITHIN_S = 7.0
"""Seconds that processes have to end, beyond their own time to drain, before they are killed."""

_OTHERWISE_MEANT = frozenset({"GATEWAY_IDLE_S"})
"""A variable for a server that ends when nobody needs it; one that is kept running does not."""


class Child:
    """A server that is kept running. Its socket stays open while it is started again, so that requests wait there.

    Args:
        name: for messages.
        command: the command that reads its settings from standard input.
        settings: its settings, the descriptor of its socket among them.
        listener: its socket.
    """

    def __init__(self, name: str, command: Sequence[str], settings: Mapping[str, Any], listener: socket.socket) -> None:
        self.name = name
        self._command = command
        self._settings = settings
        self._listener = listener
        self._process: subprocess.Popen[bytes] | None = None
        self._lifeline: int | None = None
        self._started = 0.0
        self._pause_s = LEAST_PAUSE_S
        self._due = 0.0
        self._starts = 0

    @property
    def status(self) -> int | None:
        """The exit status of the process, ``None`` while it runs."""
        return None if self._process is None else self._process.poll()

    @property
    def refuses(self) -> bool:
        """Whether the process has ended by itself soon after its first start: it has said why, and would again."""
        return self._starts == 1 and (self.status or 0) > 0 and time.monotonic() < self._started + STEADY_S

    def start(self) -> None:
        """Start the process."""
        self._starts += 1
        reading, writing = os.pipe()
        self._end_lifeline()
        self._lifeline = writing
        values = {**self._settings, "lifeline_fd": reading, "lifeline_pid": os.getpid()}
        try:
            self._process = subprocess.Popen(  # noqa: S603 - ourselves
                self._command,
                stdin=subprocess.PIPE,
                pass_fds=(reading, self._listener.fileno()),
                env=_environment(),
                start_new_session=True,  # Ctrl-C in a terminal reaches this process only
            )
        finally:
            os.close(reading)
        self._started = time.monotonic()
        assert self._process.stdin is not None  # noqa: S101 - it was asked for as a pipe
        try:
            self._process.stdin.write(json.dumps(values).encode() + b"\n")
            self._process.stdin.close()
        except BrokenPipeError:
            pass  # it has ended, and is started again

    def look(self) -> None:
        """Start the process again if it has ended, after a pause."""
        now = time.monotonic()
        if self._due:
            if now >= self._due:
                self._start_again()
            return
        status = self.status
        if status is None:
            return
        self._pause_s = LEAST_PAUSE_S if now > self._started + STEADY_S else min(2 * self._pause_s, MOST_PAUSE_S)
        self._due = now + self._pause_s
        self._say(f"has ended with status {status}, and is started again in {self._pause_s:g} s")

    def _start_again(self) -> None:
        """Start the process, or try once more after a pause: the system may have too many processes for now."""
        self._due = 0.0
        try:
            self.start()
        except OSError as exc:
            self._pause_s = min(2 * self._pause_s, MOST_PAUSE_S)
            self._due = time.monotonic() + self._pause_s
            self._say(f"cannot be started ({exc}), which is tried again in {self._pause_s:g} s")

    def _say(self, sentence: str) -> None:
        with suppress(OSError):  # whoever read it has gone
            print(f"gateway: {self.name} {sentence}", file=sys.stderr, flush=True)

    def stop(self) -> None:
        """Tell the process to end."""
        self._due = 0.0
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def wait(self, until: float) -> None:
        """Wait until the process has ended, and kill it after that time."""
        if self._process is not None:
            try:
                self._process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._end_lifeline()

    def _end_lifeline(self) -> None:
        if self._lifeline is not None:
            os.close(self._lifeline)
            self._lifeline = None


class Supervisor:
    """Keeps servers running until a signal comes. When the last one, which the others serve, cannot start, all end.

    Args:
        children: the servers.
        drain_s: the time that their runs may take to end.
    """

    def __init__(self, children: Sequence[Child], drain_s: float) -> None:
        self._children = children
        self._ends_within_s = drain_s + ENDS_WITHIN_S
        self._is_ending = False

    def run(self) -> int:
        """Run all servers, and return the exit status."""
        signal.signal(signal.SIGTERM, self._end)
        signal.signal(signal.SIGINT, self._end)
        last, status = self._children[-1], 0
        try:
            for child in self._children:
                child.start()
            while not self._is_ending:
                if last.refuses:
                    status = 1
                    break
                for child in self._children:
                    child.look()
                time.sleep(LOOK_EVERY_S)
        finally:
            self._stop()
        return status

    def _end(self, _signal: int, _frame: FrameType | None) -> None:
        self._is_ending = True

    def _stop(self) -> None:
        for child in reversed(self._children):
            child.stop()
        until = time.monotonic() + self._ends_within_s
        for child in reversed(self._children):
            child.wait(until)


def _environment() -> dict[str, str]:
    """Return the environment of a child: without the variables that say where and for whom the door listens."""
    meant_otherwise = _OTHERWISE_MEANT | {
        setting.variable
        for kind in (ListenerSettings, DoorSettings)
        for setting in all_settings(kind)
        if setting.variable
    }
    kept = {name: value for name, value in os.environ.items() if name not in meant_otherwise}
    return {**kept, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}
