"""The time of day, without the jumps of the system's clock."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class SteadyClock:
    """Tells the time of day: what the system's clock said at the start, plus the seconds since.

    Setting the system's clock while a server runs therefore makes its jobs neither older nor younger.
    """

    def __init__(self) -> None:
        self._offset_s = time.time() - time.monotonic()

    def now(self) -> float:
        """Return seconds since 1970."""
        return self._offset_s + time.monotonic()


def moment(seconds: float | None) -> datetime | None:
    """Return seconds since 1970 as a date in UTC, rounded to milliseconds."""
    return None if seconds is None else datetime.fromtimestamp(round(seconds, 3), UTC)
