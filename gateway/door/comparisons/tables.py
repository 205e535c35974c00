"""The tables of the door's file, and the statements by which a comparison goes from state to state.

A statement changes a comparison only in the states that it says, so that of two that come at the same time one changes
nothing. The steps in :mod:`gateway.door.comparisons.migrations` create these tables.
"""

from __future__ import annotations

import sqlalchemy as sa

from gateway.protocol.door import ComparisonState

UNENDED = (str(ComparisonState.QUEUED), str(ComparisonState.RUNNING))

metadata = sa.MetaData()

comparisons = sa.Table(
    "comparisons",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("id", sa.String(64), nullable=False, unique=True),
    sa.Column("owner", sa.String(128), nullable=False),
    sa.Column("caller", sa.String(128), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("started", sa.Float),
    sa.Column("ended", sa.Float),
    sa.Column("cancelled_by", sa.String(128)),
    sa.Column("circuits", sa.JSON, nullable=False),
    sa.Column("simulators", sa.JSON, nullable=False),
    sa.Column("summary", sa.String, nullable=False),
    sa.Column("shots", sa.Integer),
    sa.Column("resolution", sa.Float),
    sa.Column("words", sa.String, nullable=False),
    sa.Column("subject", sa.String(64), nullable=False),
    sa.Column("loud", sa.String, nullable=False, default=""),
    sa.Column("quiet", sa.String, nullable=False, default=""),
    sa.Column("standing", sa.String(16), nullable=False, default=""),
    sa.Column("error", sa.LargeBinary),
    sa.Column("bytes", sa.Integer, nullable=False),
    sa.Column("has_record", sa.Boolean, nullable=False, default=False),
    sa.Column("idempotency_key", sa.String(255)),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.UniqueConstraint("owner", "idempotency_key"),
    sa.Index("comparisons_of_an_owner", "owner", "number"),
    sa.Index("comparisons_in_a_state", "state", "number"),
    sa.Index("comparisons_of_a_subject", "subject", "number"),
    sqlite_autoincrement=True,
)
"""``words`` is what a search looks at, folded to one case. ``subject`` is the hash of circuits, simulators and noise:
two comparisons of one subject can be compared. ``bytes`` are those of request and record, compressed.
"""

contents = sa.Table(
    "contents",
    metadata,
    sa.Column("comparison", sa.ForeignKey("comparisons.number", ondelete="CASCADE"), primary_key=True),
    sa.Column("request", sa.LargeBinary, nullable=False),
    sa.Column("request_size", sa.Integer, nullable=False),
    sa.Column("record", sa.LargeBinary),
    sa.Column("record_size", sa.Integer),
)
"""What is large, apart from what a list shows. Both are compressed; the sizes are those before that."""

_this = comparisons.c.number == sa.bindparam("this")
_is_open = _this & comparisons.c.state.in_(UNENDED)

ADD = comparisons.insert()
ADD_CONTENT = contents.insert()
BEGIN = (
    comparisons.update()
    .where(_is_open & comparisons.c.cancelled_by.is_(None))
    .values(state=str(ComparisonState.RUNNING), started=sa.bindparam("now"), attempts=comparisons.c.attempts + 1)
)
WANT_CANCELLED = (
    comparisons.update()
    .where(_is_open & comparisons.c.cancelled_by.is_(None))
    .values(cancelled_by=sa.bindparam("name"))
)
"""Who wants it cancelled is known to the next door, too, should this one end before the comparison has."""

PUT_BACK = (
    comparisons.update()
    .where(_is_open & comparisons.c.cancelled_by.is_(None))
    .values(state=str(ComparisonState.QUEUED), started=None, attempts=sa.bindparam("tries"))
)
END = (
    comparisons.update()
    .where(_is_open)
    .values(
        state=sa.bindparam("now_state"),
        started=sa.bindparam("now_started"),
        ended=sa.bindparam("now_ended"),
        cancelled_by=sa.bindparam("name"),
        loud=sa.bindparam("now_loud"),
        quiet=sa.bindparam("now_quiet"),
        standing=sa.bindparam("now_standing"),
        error=sa.bindparam("now_error"),
        has_record=sa.bindparam("now_has_record"),
        bytes=comparisons.c.bytes + sa.bindparam("more"),
    )
)
ADD_RECORD = (
    contents.update()
    .where(contents.c.comparison == sa.bindparam("this"))
    .values(record=sa.bindparam("now_record"), record_size=sa.bindparam("size"))
)
