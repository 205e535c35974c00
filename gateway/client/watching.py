"""How a comparison of a gateway goes on: by a stream of events, or by requests where no stream comes through."""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Iterator
from contextlib import closing

from gateway.backends.patience import PATIENCE_S
from gateway.backends.transport import Transport
from gateway.errors import BusyError, RequestError, TransportError, TransportTimeout
from gateway.protocol import door
from gateway.protocol.door import ComparisonInfo
from gateway.protocol.messages import decode

SILENCE_S = 45.0
"""How long a stream of events may be silent; a gateway says every 15 seconds that it is there."""

POLL_S = 1.0
"""How long a request waits for the end, where there is no stream: so often progress is seen."""

_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 2.0


class Watch:
    """Watches one comparison until its end; a restart of the gateway in the meantime does no harm.

    Args:
        transport: leads to the gateway.
        comparison_id: the id of the comparison.

    Attributes:
        trouble: why nothing was told last, if the gateway could not be reached; otherwise empty.
    """

    def __init__(self, transport: Transport, comparison_id: str) -> None:
        self._transport = transport
        self._id = comparison_id
        self._last_event = ""
        self._has_stream = True
        self._away_since: float | None = None
        self.trouble = ""

    def states(self, deadline: float = math.inf) -> Generator[ComparisonInfo]:
        """Yield each state that is told; the last one is final, unless the deadline comes first.

        Args:
            deadline: on the monotonic clock.

        Raises:
            JobNotFound: the gateway keeps no such comparison.
            TransportError, BusyError: the gateway could not be reached for a minute.
        """
        pause_s = _PAUSE_S
        while True:
            try:
                for info in self._some(deadline):
                    self._away_since, self.trouble, pause_s = None, "", _PAUSE_S
                    yield info
                    if info.state.is_final or time.monotonic() >= deadline:
                        return
            except (TransportError, BusyError) as exc:
                self.trouble = exc.message
                self._fall_back_after(exc)
                self._lose_patience(exc)
            if time.monotonic() >= deadline:
                return
            time.sleep(max(0.0, min(pause_s, deadline - time.monotonic())))
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def _some(self, deadline: float) -> Iterator[ComparisonInfo]:
        """Yield states while nothing goes wrong."""
        left_s = deadline - time.monotonic()
        if self._has_stream:
            self._has_stream = False  # until it has told something
            for info in self._events(min(SILENCE_S, max(left_s, 0.1))):
                self._has_stream = True
                yield info
            return
        wait_s = min(POLL_S, max(left_s, 0.0))
        query = {"wait_s": f"{wait_s:g}"}
        yield self._transport.call(ComparisonInfo, door.COMPARISON, wait_s + 60.0, query=query, comparison_id=self._id)

    def _events(self, silence_s: float) -> Iterator[ComparisonInfo]:
        headers = {"Last-Event-ID": self._last_event} if self._last_event else {}
        lines = self._transport.stream(door.EVENTS, silence_s, headers=headers, comparison_id=self._id)
        data: list[bytes] = []
        with closing(lines):
            for line in lines:
                name, _, value = line.partition(b":")
                value = value.removeprefix(b" ")
                if name == b"data":
                    data.append(value)
                elif name == b"id":
                    self._last_event = value.decode("ascii", errors="replace")
                elif not line and data:
                    yield self._state(b"\n".join(data))
                    data.clear()

    def _state(self, data: bytes) -> ComparisonInfo:
        try:
            return decode(ComparisonInfo, data)
        except RequestError as exc:
            url = self._transport.url
            raise TransportError(f"{url} sent an event that is none of a gateway's: {exc}", url=url) from exc

    def _fall_back_after(self, exc: TransportError | BusyError) -> None:
        """Ask from now on where the stream was refused, or silent; one that broke off is opened again."""
        was_answered = isinstance(exc, BusyError) or exc.__cause__ is None or isinstance(exc.__cause__, RequestError)
        self._has_stream = not was_answered and not isinstance(exc, TransportTimeout)

    def _lose_patience(self, exc: TransportError | BusyError) -> None:
        """Raise an error once the gateway has been away for too long."""
        now = time.monotonic()
        self._away_since = self._away_since or now
        if now - self._away_since > PATIENCE_S:
            raise exc
