"""ComparisonJob: a comparison that a gateway runs and keeps, and that survives the end of the client."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

from gateway.backends.patience import patiently, repeatedly
from gateway.backends.transport import Transport
from gateway.client.showing import Showing
from gateway.client.watching import Watch
from gateway.compare.comparison import Comparison
from gateway.compare.progress import Progress, progress_of
from gateway.errors import JobCancelled, JobNotFound, JobTimeout, RequestError, TransportError
from gateway.protocol import door, problem
from gateway.protocol.door import ComparisonInfo, ComparisonState
from gateway.protocol.messages import encode

_RECORD_S = 600.0
"""How long the record may take to arrive; that of many circuits is large."""


class ComparisonJob:
    """A comparison on a gateway.

    Args:
        transport: leads to the gateway.
        info: what the gateway said of it last.

    Attributes:
        id: its id, with which another program finds it.
    """

    def __init__(self, transport: Transport, info: ComparisonInfo) -> None:
        self.id = info.id
        self._transport = transport
        self._info = info

    def __repr__(self) -> str:
        return f"<comparison {self.id} {self._info.state} at {self._transport.url}>"

    def info(self) -> ComparisonInfo:
        """Ask the gateway how far the comparison is, or what it found; its end is asked for once."""
        if not self._info.state.is_final:
            self._info = patiently(lambda: ask(self._transport, self.id))
        return self._info

    def status(self) -> ComparisonState:
        """Ask the gateway for the state."""
        return self.info().state

    def wait(self, timeout_s: float | None = None, *, progress: Progress | str | None = None) -> ComparisonInfo:
        """Wait for the end, however it ends; a restart of the gateway in the meantime does no harm.

        Args:
            timeout_s: seconds to wait at most.
            progress: ``"auto"`` shows the progress where people look, ``None`` nowhere; or an object of your own.

        Raises:
            JobTimeout: it has not ended within ``timeout_s``; it goes on.
            JobNotFound: the gateway does not keep it any more.
            TransportError: the gateway could not be reached for a minute.
        """
        deadline = math.inf if timeout_s is None else time.monotonic() + timeout_s
        watch = Watch(self._transport, self.id)
        with _shown(progress_of(progress), self._info) as showing:
            if not self._info.state.is_final:
                with closing(watch.states(deadline)) as states, self._named():
                    for info in states:
                        self._info = info
                        showing.show(info)
        if not self._info.state.is_final:
            detail = f", as far as is known ({watch.trouble})" if watch.trouble else ""
            raise JobTimeout(
                f"no end after {timeout_s:g} s; the comparison goes on, as {self.id}{detail}", timeout_s=timeout_s
            )
        return self._info

    def result(self, timeout_s: float | None = None, *, progress: Progress | str | None = None) -> Comparison:
        """Wait for the end, and return the comparison.

        Args:
            timeout_s: seconds to wait at most.
            progress: as for :meth:`wait`.

        Raises:
            JobCancelled: it was cancelled; :meth:`record` has what had finished.
            JobTimeout, JobNotFound, TransportError: as :meth:`wait`.
            GatewayError: it failed.
        """
        if self.wait(timeout_s, progress=progress).state is ComparisonState.CANCELLED:
            by = f" by {self._info.cancelled_by}" if self._info.cancelled_by else ""
            raise JobCancelled(f"the comparison was cancelled{by}; record() has what had finished")
        return self.record()

    def record(self) -> Comparison:
        """Return what was found; of a comparison that was cancelled, what had finished by then.

        Raises:
            ResultNotFound: there is no record: the comparison has not ended, or was cancelled before it began.
            GatewayError: it failed.
            TransportError: the gateway cannot be reached, or sent no record.
        """
        if self._info.error is not None:
            raise problem.parse(encode(self._info.error), self._info.error.status, self._transport.url)
        answer = patiently(lambda: self._transport.fetch(door.RECORD, _RECORD_S, comparison_id=self.id))
        try:
            return Comparison.from_json(answer.content, answer.url)
        except RequestError as exc:
            raise TransportError(exc.message, url=answer.url) from exc

    def cancel(self) -> bool:
        """Cancel the comparison unless it has ended, and return whether it is cancelled; its runs end in a moment."""
        self._info = repeatedly(lambda: self._transport.call(ComparisonInfo, door.CANCEL, 60.0, comparison_id=self.id))
        return self._info.state not in {ComparisonState.FINISHED, ComparisonState.FAILED}

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Say in errors of the connection how to find the comparison again, which goes on."""
        try:
            yield
        except TransportError as exc:
            message = f"{exc.message}; the comparison goes on there, as {self.id}"
            raise type(exc)(message, url=exc.url) from exc


def ask(transport: Transport, comparison_id: str) -> ComparisonInfo:
    """Ask a gateway about a comparison.

    Raises:
        JobNotFound: there is no such comparison, or it is somebody else's.
    """
    if not comparison_id.strip(".") or "/" in comparison_id:
        raise JobNotFound(f"there is no comparison {comparison_id!r:.100}", job=comparison_id)
    return transport.call(ComparisonInfo, door.COMPARISON, 60.0, comparison_id=comparison_id)


@contextmanager
def _shown(progress: Progress, info: ComparisonInfo) -> Iterator[Showing]:
    showing = Showing(progress, info)
    try:
        yield showing
    finally:
        progress.finish()
