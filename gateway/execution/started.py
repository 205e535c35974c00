"""What a run starts outside this machine, such as a vendor's job, is told to the server, which can then cancel it.

A worker is killed at a deadline and by a cancel, and has no time to cancel anything by itself.
"""

from __future__ import annotations

from collections.abc import Callable

_listeners: list[Callable[[str], None]] = []


def listen(listener: Callable[[str], None]) -> None:
    """Call a function, instead of an earlier one, with the id of whatever the runs of this process start."""
    _listeners[:] = [listener]


def announce(name: str) -> None:
    """Tell that something with this id goes on by itself from now on; outside a worker nobody listens."""
    for listener in _listeners:
        listener(name)
