"""What the door says about a comparison."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from gateway.door.comparisons.store import Stored
from gateway.jobs.clock import moment
from gateway.protocol.door import ComparisonInfo, ComparisonProgress, ComparisonState
from gateway.protocol.messages import Problem


def describe(stored: Stored, *, before: int = 0, progress: ComparisonProgress | None = None) -> ComparisonInfo:
    """Return what is said about a comparison.

    Args:
        stored: the comparison.
        before: how many others run before it, while it is queued.
        progress: how far it is, while it runs.
    """
    return ComparisonInfo(
        id=stored.id,
        state=stored.state,
        by=stored.owner,
        circuits=stored.circuits,
        summary=stored.summary,
        simulators=stored.simulators,
        shots=stored.shots,
        resolution=stored.resolution,
        created=datetime.fromtimestamp(round(stored.created, 3), UTC),
        started=moment(stored.started),
        ended=moment(stored.ended),
        before=before,
        progress=progress if stored.state is ComparisonState.RUNNING else None,
        verdict=stored.loud + stored.quiet,
        told=(stored.loud, stored.quiet),
        standing=stored.standing,
        has_record=stored.has_record,
        cancelled_by=stored.cancelled_by or "",
        error=None if stored.error is None else msgspec.json.decode(stored.error, type=Problem),
    )
