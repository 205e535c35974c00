"""What has changed between two comparisons of the same circuits."""

from __future__ import annotations

from html import escape

import msgspec

from gateway.compare.matching import matched
from gateway.compare.record import Case, Record, Row, Verdict
from gateway.compare.statistics import tests
from gateway.compare.statistics.correction import holm
from gateway.compare.statistics.outcomes import Sample
from gateway.look import numbers

SLOWER = 1.5
"""A median time that changed by this factor is said; smaller changes are the machine's mood."""

FEWEST_REPETITIONS = 3
"""Times of fewer runs are not compared: a single one may have met anything."""


class Change(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What has changed for one simulator on one circuit.

    Args:
        simulator: its name.
        circuit: the circuit's name.
        before: its row in the older comparison; ``None`` if it was not in it.
        after: its row in the newer one; ``None`` if it is not in it.
        p_value: of the older and the newer counts being drawn from one distribution, corrected; ``None`` if not tested.
        sentence: the change in one sentence; empty if nothing has changed.
    """

    simulator: str
    circuit: str
    before: Row | None = None
    after: Row | None = None
    p_value: float | None = None
    sentence: str = ""


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """What has changed since an older comparison.

    Args:
        since: when the older one was started.
        changes: one for each circuit and simulator of either comparison.
    """

    since: str
    changes: tuple[Change, ...]

    @property
    def sentences(self) -> list[str]:
        """What has changed, one sentence each; empty if nothing has."""
        return [change.sentence for change in self.changes if change.sentence]

    def __str__(self) -> str:
        date = self.since.partition("T")[0]
        found = self.sentences
        return f"Since {date}: {' '.join(found)}" if found else f"Since {date} nothing has changed."

    def _repr_html_(self) -> str:
        return f"<p>{escape(str(self))}</p>"


def changes(new: Record, old: Record) -> Changes:
    """Return what has changed from one record to another; circuits are known by the hash of their text."""
    pairs = matched(new.cases, old.cases)
    after, before = (
        {(place, row.simulator): (case, row) for place, case in enumerate(cases) if case for row in case.rows}
        for cases in ([pair[0] for pair in pairs], [pair[1] for pair in pairs])
    )
    keys = list(dict.fromkeys([*after, *before]))
    raw = {key: _p_value(before[key][1], after[key][1]) for key in keys if key in before and key in after}
    tested = [key for key, value in raw.items() if value is not None]
    corrected = dict(zip(tested, holm([raw[key] or 0.0 for key in tested]), strict=True))
    rate = min(new.false_alarm_rate, old.false_alarm_rate)
    several = len(pairs) > 1
    timed = min(new.repeat, old.repeat) >= FEWEST_REPETITIONS
    found = [
        _change(before.get(key), after.get(key), corrected.get(key), rate, several=several, timed=timed) for key in keys
    ]
    return Changes(since=old.created, changes=tuple(found))


def _p_value(before: Row, after: Row) -> float | None:
    """Return the smallest p-value of two-sample tests between older and newer counts, corrected for their number."""
    if not before.counts or not after.counts:
        return None
    widths = {len(next(iter(row.counts))) for row in (before, after)}
    if len(widths) > 1:
        return 0.0
    samples = [Sample.of(row.counts, widths.copy().pop()) for row in (before, after)]
    found = tests.between(*samples)
    return min(holm([test.p_value for test in found]), default=1.0)


def _change(
    before: tuple[Case, Row] | None,
    after: tuple[Case, Row] | None,
    p_value: float | None,
    rate: float,
    *,
    several: bool,
    timed: bool,
) -> Change:
    case, row = after or before or (None, None)
    assert case is not None and row is not None  # noqa: S101, PT018 - a key comes from one of them
    old, new = before and before[1], after and after[1]
    facts = _facts(old, new, p_value, rate)
    if timed and old is not None and new is not None:
        facts += _slower(old, new)
    where = f" on {case.name}" if several else ""
    sentence = f"{row.simulator}{where}: {', '.join(facts)}." if facts else ""
    return Change(simulator=row.simulator, circuit=case.name, before=old, after=new, p_value=p_value, sentence=sentence)


def _facts(old: Row | None, new: Row | None, p_value: float | None, rate: float) -> list[str]:
    """Return what has changed in a few words each."""
    if old is None or new is None:
        return ["is new" if old is None else "is no longer there"]
    facts = []
    if old.verdict is not new.verdict:
        facts.append(f"{_words(old)} before, {_words(new)} now")
    elif p_value is not None and p_value < rate:
        facts.append(f"gives other counts than before ({numbers.p_is(p_value)})")
    if old.version != new.version:
        facts.append(f"{old.version or 'no version'} → {new.version or 'no version'}")
    return facts


def _words(row: Row) -> str:
    return "failed" if row.verdict is Verdict.FAILED else str(row.verdict)


def _slower(old: Row, new: Row) -> list[str]:
    if "total" not in old.timings or "total" not in new.timings:
        return []
    was, now = old.timings["total"].median, new.timings["total"].median
    apart = new.timings["total"].lowest > old.timings["total"].highest
    if apart and was > 0 and now / was >= SLOWER:
        return [f"takes {numbers.seconds(now)} instead of {numbers.seconds(was)}"]
    return []
