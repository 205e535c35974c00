"""What a comparison may not exceed, and how long comparisons are kept."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


def _limit(description: str, *, least: float = 0) -> Meta:
    return Meta(ge=least, description=description)


class ComparisonLimits(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of the door's comparisons."""

    at_once: Annotated[int, _limit("comparisons that run at the same time", least=1)] = 2
    max_queued: Annotated[int, _limit("comparisons that wait, of which one caller may have half", least=1)] = 2_000
    max_queued_bytes: Annotated[int, _limit("bytes of the requests that wait", least=1)] = 256 * 2**20
    max_circuits: Annotated[int, _limit("circuits of a comparison", least=1)] = 100
    max_repeat: Annotated[int, _limit("repetitions of each circuit of a comparison", least=1)] = 1_000
    max_text_bytes: Annotated[int, _limit("bytes of all circuits of a comparison", least=1)] = 8 * 2**20
    max_record_bytes: Annotated[int, _limit("bytes of a record", least=1)] = 256 * 2**20
    check_s: Annotated[float, _limit("seconds that reading the circuits of a comparison may take", least=0.001)] = 20.0
    comparison_s: Annotated[float, _limit("seconds after which a comparison is ended", least=0.001)] = 3600.0
    end_within_s: Annotated[
        float, _limit("seconds that a comparison has to save what has finished when it is ended", least=0.001)
    ] = 20.0
    process_memory_bytes: (
        Annotated[int, _limit("bytes that the process of a comparison may hold; no limit by default")] | None
    ) = None
    keep_number: Annotated[int, _limit("comparisons that are kept after their end", least=1)] = 10_000
    keep_bytes: Annotated[int, _limit("bytes of comparisons that are kept after their end")] = 2**30
    keep_s: Annotated[float, _limit("seconds that a comparison is kept after its end")] = 90 * 86_400.0
