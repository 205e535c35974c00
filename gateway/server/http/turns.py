"""Gives the senders of requests turns, so that one who sends a thousand does not hold up one who sends a single one."""

from __future__ import annotations

import asyncio

from gateway.execution.fair_queue import FairQueue


class Turns:
    """A number of turns that are taken at the same time. It belongs to the thread of an event loop.

    Args:
        number: how many there are.
    """

    def __init__(self, number: int) -> None:
        self._free = number
        self._waiting: FairQueue[asyncio.Future[None]] = FairQueue()

    async def wait(self, sender: str) -> None:
        """Wait for a turn; :meth:`end` ends it."""
        if self._free:  # then nobody waits
            self._free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.put(sender, turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not self._waiting.remove(sender, turn) and not turn.cancelled():
                self.end()  # it was called a moment ago
            raise

    def end(self) -> None:
        """End a turn, and call the next sender."""
        turn = self._waiting.take()
        while turn is not None and turn.cancelled():
            turn = self._waiting.take()
        if turn is None:
            self._free += 1
        else:
            turn.set_result(None)
