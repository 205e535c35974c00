"""Learns from comparisons that have ended how fast the simulators are here, in a thread that nobody waits for."""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from gateway.door.comparisons.kept import Kept
    from gateway.protocol.door import ComparisonInfo

MOST_WAITING = 16
"""One that ends while so many others wait to be learnt from is not learnt from."""

log = logging.getLogger("gateway")


class Learner(Protocol):
    """Whatever learns from records, as the circuits of a door do."""

    def observe(self, record: Kept) -> None:
        """Learn from a record."""


class Learning:
    """Lets circuits learn from the records of comparisons.

    Args:
        circuits: learns.
    """

    def __init__(self, circuits: Learner) -> None:
        self._circuits = circuits
        self._ended: queue.Queue[str] = queue.Queue(MOST_WAITING)
        self._is_closed = False

    def start(self, record_of: Callable[[str], Kept | None]) -> None:
        """Begin to learn.

        Args:
            record_of: returns the record of a comparison; ``None`` if there is none any more.
        """
        threading.Thread(target=self._learn, args=(record_of,), name="gateway-learning", daemon=True).start()

    def take(self, info: ComparisonInfo) -> None:
        """Take a comparison that has ended, and return at once."""
        if info.has_record:
            with contextlib.suppress(queue.Full):
                self._ended.put_nowait(info.id)

    def close(self) -> None:
        """Learn no more."""
        self._is_closed = True
        with contextlib.suppress(queue.Full):
            self._ended.put_nowait("")

    def _learn(self, record_of: Callable[[str], Kept | None]) -> None:
        while comparison_id := self._ended.get():
            if self._is_closed:
                return
            try:
                if (record := record_of(comparison_id)) is not None:
                    self._circuits.observe(record)
            except Exception as exc:  # noqa: BLE001 - whatever it is, estimates are only a little worse
                if not self._is_closed:
                    log.warning("nothing was learnt from comparison %s: %s", comparison_id, exc)
