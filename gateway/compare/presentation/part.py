"""What the page of the gateway shows of a comparison, as a part of it: while it runs, and when it has ended.

The part has no style and no script. The page's script takes the table of simulators out of it, finds what to copy and
where to lead by ``data`` attributes, and puts a newer part in the place of an older one.
"""

from __future__ import annotations

from gateway.compare.presentation import sections, tables
from gateway.compare.presentation.article import article, headline
from gateway.compare.presentation.matrix import matrix
from gateway.compare.presentation.sections import Section
from gateway.compare.record import Record
from gateway.compare.verdict import JUDGED_LATER, Standing
from gateway.look import numbers
from gateway.look.markup import Html, join
from gateway.look.sheet import mark, visible
from gateway.protocol.door import ComparisonProgress

GOES_ON = "Leaving this page does not stop the comparison: it goes on, and is kept under Comparisons."
"""The second line of the verdict while simulators run."""

_FEW = {1: "It has", 2: "Both have"}

_STAGES = {
    "comparing": "what they gave is compared.",
    "diagnosing": "the likely cause is looked for.",
    "reducing": "the circuit is reduced to the smallest that shows a difference.",
}


def result_part(
    record: Record | None, progress: ComparisonProgress | None = None, *, base: str = ".", since: str = ""
) -> str:
    """Return what there is to show of a comparison, as elements of HTML with the classes of the shared sheets.

    Args:
        record: the comparison; what has finished so far while it runs, ``None`` if that is nothing.
        progress: how far it is; ``None`` when it has ended.
        base: the address of the comparison, below which its files are.
        since: a sentence about what has changed since an earlier record; it stands under the verdict.
    """
    section = Section(on_page=True, base=base)
    if progress is not None:
        return visible(join(*_running(record, progress, section)))
    return visible(join(*([] if record is None else article(record, section, since=since))))


def _running(record: Record | None, progress: ComparisonProgress, section: Section) -> list[Html]:
    cases = () if record is None else record.cases
    stages = {line.simulator: line.stage for line in progress.lines}
    single = cases[0] if record is not None and len(cases) == 1 else None
    lines = [] if record is None else tables.simulators(single, shared=False) if single else tables.totals(record)
    ended = [line for line in lines if line.standing is not Standing.UNFINISHED]
    parts = [headline(mark("running"), *_so_far(progress), GOES_ON), sections.simulators(ended, section)]
    if record is not None and single is not None:
        found = matrix(single, record.false_alarm_rate)
        parts += [] if found is None else [sections.outcomes(found, None, single, section, stages=stages)]
    return parts


def _so_far(progress: ComparisonProgress) -> tuple[str, str]:
    """Return the verdict while nobody is judged yet, in two parts."""
    number = len(progress.lines)
    if number and progress.finished == number:
        who = _FEW.get(number, f"All {number} have")
        return f"{who} finished;", f" {_STAGES.get(progress.stage, _STAGES['comparing'])}"
    verb = "has" if progress.finished == 1 else "have"
    said = progress.sentence.rstrip(".") or JUDGED_LATER
    return f"{numbers.integer(progress.finished)} of {numbers.integer(number)} {verb} finished;", f" {said}."
