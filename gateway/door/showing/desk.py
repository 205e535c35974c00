"""Shows comparisons inside a worker process, which has imported all that is needed before the first one comes."""

from __future__ import annotations

import msgspec

from gateway.compare.changes import changes
from gateway.compare.presentation.outcomes_csv import outcomes_csv
from gateway.compare.presentation.part import result_part
from gateway.compare.presentation.picture import png_picture, svg_picture
from gateway.compare.presentation.report import html_report
from gateway.compare.record import Record
from gateway.door import desk
from gateway.door.comparisons.kept import Kept
from gateway.door.showing.questions import Form, Show
from gateway.errors import ResultNotFound
from gateway.execution.content import IN_MEMORY_BYTES, Content, PartsContent


class Desk(desk.Desk):
    """Shows comparisons."""

    def answer(self, question: bytes) -> Content:
        """Return what there is to see, in UTF-8 where it is text."""
        content = shown(msgspec.msgpack.decode(question, type=Show))
        return content if len(content) <= IN_MEMORY_BYTES else PartsContent([content])


def shown(question: Show) -> bytes:
    """Return how a comparison looks.

    Raises:
        ResultNotFound: there is nothing to show in this form.
        RequestError, FrameworkNotInstalled: there is nothing to draw, or nothing to draw it with.
    """
    record = _decoded(question.record)
    if question.form is Form.PART:
        since = "" if question.progress is not None else _since(record, question.earlier)
        return result_part(record, question.progress, base=question.base, since=since).encode()
    if record is None:
        raise ResultNotFound("there is no record of this comparison")
    if question.form is Form.REPORT:
        return html_report(record, since=_since(record, question.earlier)).encode()
    if question.form is Form.SVG:
        return svg_picture(record).encode()
    return png_picture(record) if question.form is Form.PNG else outcomes_csv(record).encode()


def _since(record: Record | None, earlier: Kept | None) -> str:
    older = _decoded(earlier)
    if record is None or older is None or record.interrupted or older.interrupted:  # of those, nobody knows all
        return ""
    return str(changes(record, older))


def _decoded(kept: Kept | None) -> Record | None:
    return None if kept is None else msgspec.json.decode(kept.text(), type=Record)
