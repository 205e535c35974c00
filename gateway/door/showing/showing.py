"""Has comparisons shown in processes that can be killed, each thing once for all who look at it."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable
from typing import TYPE_CHECKING

import msgspec

from gateway.door.reception import Reception, Sentences
from gateway.door.showing.once import Once
from gateway.door.showing.questions import Form, Show
from gateway.errors import BusyError, ResultNotFound
from gateway.protocol.door import COMPARISON, ComparisonProgress
from gateway.server.access.fair_places import FairPlaces

if TYPE_CHECKING:
    from gateway.door.comparisons.kept import Kept
    from gateway.door.comparisons.manager import Comparisons
    from gateway.execution.content import Content
    from gateway.jobs.manager import Caller
    from gateway.protocol.door import ComparisonInfo

DESK = f"{__package__}.desk:Desk"

_SENTENCES = Sentences(
    busy="too many comparisons are shown at this moment: try again",
    slow="it takes longer than {seconds} to show this comparison: download its record instead",
    large="it takes more memory than there is for it to show this comparison: download its record instead",
    broken="the processes that show this comparison end before they have: download its record instead",
)
_MOST_KEPT_BYTES = 2**26


class Showing:
    """Shows comparisons.

    Args:
        comparisons: has their records.
        workers: how many are shown at a time.
        timeout_s: how many seconds one may take, its wait for a worker included.
        memory_bytes: the memory that a process may hold while it shows one.
        most: how many requests wait at the same time where all come from one caller.
    """

    def __init__(
        self,
        comparisons: Comparisons,
        *,
        workers: int = 2,
        timeout_s: float = 30.0,
        memory_bytes: int = 2**31,
        most: int = 64,
    ) -> None:
        self._comparisons = comparisons
        self._once = Once(_MOST_KEPT_BYTES)
        self._places = FairPlaces(most)
        self._reception = Reception(
            DESK, _SENTENCES, workers=workers, timeout_s=timeout_s, memory_bytes=memory_bytes, most_waiting=2 * most
        )

    @property
    def ready(self) -> bool:
        """Whether a comparison would be shown at once."""
        return self._reception.ready

    def part(self, comparison_id: str, caller: Caller) -> Content:
        """Return the part of a page about a comparison, while it runs and afterwards; empty if there is nothing.

        Raises:
            GatewayError: see :meth:`shown`.
        """
        info = self._comparisons.info(comparison_id, caller)
        if info.state.is_final:
            return self._finally(Form.PART, info, caller) if info.has_record else b""
        record = self._comparisons.latest_kept(comparison_id, caller)
        key = (comparison_id, Form.PART, _digest(record), _what_shows(info.progress))
        return self._shown(key, info, caller, record=record, progress=info.progress)

    def shown(self, form: Form, comparison_id: str, caller: Caller) -> Content:
        """Return how a comparison that has ended looks.

        Raises:
            JobNotFound: the caller has no such comparison.
            ResultNotFound: there is no record, or none yet.
            JobTimeout, OutOfMemory: it takes too long, or too much memory.
            BusyError: too many are shown at this moment, or the door is stopping.
            RequestError, FrameworkNotInstalled: there is nothing to draw, or nothing to draw it with.
        """
        info = self._comparisons.info(comparison_id, caller)
        if not info.has_record:
            raise ResultNotFound(f"the comparison is {info.state}: it has no record", job=comparison_id)
        return self._finally(form, info, caller)

    def close(self) -> None:
        """End the processes; whoever waits gets an error."""
        self._reception.close()

    def _finally(self, form: Form, info: ComparisonInfo, caller: Caller) -> Content:
        return self._shown((info.id, form), info, caller, form=form)

    def _shown(
        self,
        key: Hashable,
        info: ComparisonInfo,
        caller: Caller,
        *,
        form: Form = Form.PART,
        record: Kept | None = None,
        progress: ComparisonProgress | None = None,
    ) -> Content:
        kept = self._once.kept(key)
        if kept is not None:
            return kept
        with self._places.place(caller.name) as has_place:
            if not has_place:
                raise BusyError(_SENTENCES.busy, retry_after_s=1.0)
            return self._once.get(key, lambda: self._make(form, info, caller, record, progress))

    def _make(
        self, form: Form, info: ComparisonInfo, caller: Caller, record: Kept | None, progress: ComparisonProgress | None
    ) -> Content:
        earlier = None
        if info.state.is_final:
            record = self._comparisons.latest_kept(info.id, caller)
            earlier = self._comparisons.earlier_kept(info.id, caller) if form in {Form.PART, Form.REPORT} else None
        base = COMPARISON.url(comparison_id=info.id).removeprefix("/")
        question = Show(form=form, base=base, record=record, earlier=earlier, progress=progress)
        return self._reception.ask(msgspec.msgpack.encode(question), caller.name)


def _digest(record: Kept | None) -> bytes:
    return b"" if record is None else hashlib.blake2b(record.body, digest_size=16).digest()


def _what_shows(progress: ComparisonProgress | None) -> Hashable:
    """Return what one sees of a progress: no times."""
    if progress is None:
        return None
    lines = tuple((line.simulator, line.stage) for line in progress.lines)
    return progress.finished, progress.stage, progress.sentence, lines
