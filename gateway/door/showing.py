"""Makes what people see of a comparison: the part of the page, the report, the picture and the table of outcomes.

What has been made is kept for a while: several readers look at the same comparison, and a page asks again.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from gateway.errors import ResultNotFound
from gateway.protocol.door import COMPARISON

if TYPE_CHECKING:
    from gateway.compare.comparison import Comparison
    from gateway.door.comparisons.manager import Comparisons
    from gateway.jobs.manager import Caller

MOST_KEPT_BYTES = 2**25
"""The bytes of what is kept."""

T = TypeVar("T", bytes, str)


class Showing:
    """Shows comparisons, each thing made once for all who look at it.

    Args:
        comparisons: has their records.
    """

    def __init__(self, comparisons: Comparisons) -> None:
        self._comparisons = comparisons
        self._kept: OrderedDict[tuple[object, ...], bytes | str] = OrderedDict()
        self._kept_bytes = 0
        self._lock = threading.Lock()

    def part(self, comparison_id: str, caller: Caller) -> str:
        """Return the part of a page about a comparison, while it runs and afterwards."""
        from gateway.compare.presentation.part import result_part  # noqa: PLC0415 - loads numpy

        info = self._comparisons.info(comparison_id, caller)
        base = COMPARISON.url(comparison_id=comparison_id).removeprefix("/")
        if not info.state.is_final:
            return result_part(self._comparisons.latest(comparison_id, caller), info.progress, base=base)
        since = str(self._comparisons.since(comparison_id, caller) or "")
        return self._once(
            ("part", comparison_id),
            lambda: result_part(self._comparisons.latest(comparison_id, caller), base=base, since=since),
        )

    def report(self, comparison_id: str, caller: Caller) -> str:
        """Return the report, a page that needs nothing else."""
        from gateway.compare.presentation.report import html_report  # noqa: PLC0415 - as above

        since = str(self._comparisons.since(comparison_id, caller) or "")
        record = self._record(comparison_id, caller)
        return self._once(("report", comparison_id), lambda: html_report(record, since=since))

    def picture(self, comparison_id: str, caller: Caller, form: str) -> tuple[bytes, str]:
        """Return the picture of the outcomes, and its media type.

        Raises:
            ResultNotFound: there is no record, or no such form of a picture.
        """
        from gateway.compare.presentation.picture import png_picture, svg_picture  # noqa: PLC0415 - as above

        record = self._record(comparison_id, caller)
        if form == "svg":
            return self._once(("svg", comparison_id), lambda: svg_picture(record)).encode(), "image/svg+xml"
        if form == "png":
            return self._once(("png", comparison_id), lambda: png_picture(record)), "image/png"
        raise ResultNotFound(f"a picture is an svg or a png, not {form!r:.20}", job=comparison_id)

    def outcomes(self, comparison_id: str, caller: Caller) -> bytes:
        """Return all outcomes as a table, one in each line."""
        from gateway.compare.presentation.outcomes_csv import outcomes_csv  # noqa: PLC0415 - as above

        record = self._record(comparison_id, caller)
        return self._once(("csv", comparison_id), lambda: outcomes_csv(record)).encode()

    def _record(self, comparison_id: str, caller: Caller) -> Comparison:
        """Return the final record.

        Raises:
            ResultNotFound: there is none, or none yet.
        """
        info = self._comparisons.info(comparison_id, caller)
        record = self._comparisons.latest(comparison_id, caller) if info.state.is_final else None
        if record is None:
            raise ResultNotFound(f"the comparison is {info.state}: it has no record", job=comparison_id)
        return record

    def _once(self, key: tuple[object, ...], make: Callable[[], T]) -> T:
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return found  # type: ignore[return-value]  # under one key there are values of one type
        made = make()
        with self._lock:
            if key not in self._kept:
                self._kept[key] = made
                self._kept_bytes += len(made)
            while self._kept_bytes > MOST_KEPT_BYTES:
                self._kept_bytes -= len(self._kept.popitem(last=False)[1])
        return made
