"""The time that a search may take."""

from __future__ import annotations

import math
import time

DEFAULT_SECONDS = 60.0

SHARE_OF_A_RUN = 1 / 12
"""The part of the time that one request may take, so that a simulator that hangs on one circuit does not use up all."""


class TimeIsUp(Exception):  # noqa: N818 - the name says what happened
    """The time that the caller gave is over; it never leaves this package."""


class Clock:
    """Counts the time down: it has no end until one is set."""

    def __init__(self) -> None:
        self._end = self._longest = math.inf

    def set(self, seconds: float | None) -> None:
        """End the time so many seconds from now; ``None`` for never."""
        self._end = math.inf if seconds is None else time.monotonic() + seconds
        self._longest = math.inf if seconds is None else seconds * SHARE_OF_A_RUN

    @property
    def is_over(self) -> bool:
        """Whether the time is over."""
        return time.monotonic() >= self._end

    def check(self) -> None:
        """Raise TimeIsUp if the time is over."""
        if self.is_over:
            raise TimeIsUp

    def timeout_s(self) -> float | None:
        """Return the seconds that a request may take: its share, or those that are left, and one at least."""
        return None if self._end == math.inf else max(1.0, min(self._longest, self._end - time.monotonic()))
