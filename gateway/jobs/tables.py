"""The tables of the job database, and the statements that every job runs.

The steps in :mod:`gateway.jobs.migrations` create these tables, and change those of older schemas into them.
"""

from __future__ import annotations

import sqlalchemy as sa

from gateway.protocol.encodings import Encoding
from gateway.results import JobState

UNENDED = (JobState.QUEUED, JobState.RUNNING)

metadata = sa.MetaData()

_SIZE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""The type of a number of bytes; an integer of SQLite's has 64 bits under either name."""

jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("id", sa.String(64), nullable=False, unique=True),
    sa.Column("queue", sa.String(128), nullable=False, index=True),
    sa.Column("owner", sa.String(128), nullable=False),
    sa.Column("caller", sa.String(128), nullable=False),
    sa.Column("state", sa.String(16), nullable=False, index=True),
    sa.Column("total", sa.Integer, nullable=False),
    sa.Column("is_list", sa.Boolean, nullable=False),
    sa.Column("timeout_s", sa.Float, nullable=False),
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("started", sa.Float),
    sa.Column("ended", sa.Float),
    sa.Column("bytes", _SIZE, nullable=False),
    sa.Column("idempotency_key", sa.String(255)),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("trace", sa.String(64)),
    sa.Column("fetched", sa.Boolean, nullable=False, default=False, server_default=sa.false()),
    sa.Column("encoding", sa.String(16), nullable=False, default=Encoding.JSON, server_default=Encoding.JSON),
    sa.UniqueConstraint("queue", "owner", "idempotency_key"),
    sa.Index("jobs_in_the_order_in_which_they_go", "queue", "owner", "fetched", "number"),
    sqlite_autoincrement=True,
)

circuits = sa.Table(
    "circuits",
    metadata,
    sa.Column("job", sa.ForeignKey("jobs.number", ondelete="CASCADE"), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("request", sa.LargeBinary, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    sa.Column("status", sa.Integer),
    sa.Column("answer", sa.LargeBinary),
    sa.Column("size", sa.BigInteger),
    sa.Column("whole_size", sa.BigInteger),
    sqlite_with_rowid=False,
)
"""A small answer is in the column ``answer``; if it is compressed there, ``whole_size`` is what its bytes were.

A large one is in the table of pieces, and ``size`` is its bytes.
"""

pieces = sa.Table(
    "pieces",
    metadata,
    sa.Column("job", sa.ForeignKey("jobs.number", ondelete="CASCADE"), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("body", sa.LargeBinary, nullable=False),
)
"""The pieces of large answers; each has PIECE_BYTES, but for the last one of an answer. A shorter one is compressed."""

versions = sa.Table(
    "schema_version",
    metadata,
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("gateway", sa.String(64)),
)

# Every job runs these statements. They are built once, because building one takes longer than running it.
_this_job = jobs.c.number == sa.bindparam("this_job")
_this_circuit = (circuits.c.job == sa.bindparam("this_job")) & (circuits.c.position == sa.bindparam("this_position"))
_open_job = _this_job & jobs.c.state.in_([str(state) for state in UNENDED])
_new_size = jobs.c.bytes + sa.bindparam("size")

ADD = jobs.insert()
ADD_CIRCUITS = circuits.insert()
ATTEMPT = circuits.update().where(_this_circuit).values(attempts=circuits.c.attempts + 1)
START = (
    jobs.update()
    .where(_this_job & (jobs.c.state == str(JobState.QUEUED)))
    .values(state=str(JobState.RUNNING), started=sa.bindparam("now"))
)
ANSWER = (
    circuits.update()
    .where(_this_circuit & circuits.c.status.is_(None) & sa.exists().where(_open_job))
    .values(
        status=sa.bindparam("now_status"),
        answer=sa.bindparam("body"),
        size=sa.bindparam("now_size"),
        whole_size=sa.bindparam("now_whole_size"),
    )
)
OPEN = sa.select(circuits.c.position).where(_this_circuit & circuits.c.status.is_(None) & sa.exists().where(_open_job))
ADD_PIECE = pieces.insert()
DROP_PIECES = pieces.delete().where(
    (pieces.c.job == sa.bindparam("this_job"))
    & (pieces.c.position == sa.bindparam("this_position"))
    & ~sa.exists().where(_this_circuit & circuits.c.size.is_not(None))
)
"""Pieces that belong to no answer, because their writing was broken off."""

DROP_ALL_PIECES = pieces.delete().where(
    pieces.c.job.in_(
        sa.select(jobs.c.number).where(
            (jobs.c.queue == sa.bindparam("this_queue")) & jobs.c.state.in_([str(state) for state in UNENDED])
        )
    )
    & ~sa.exists().where(
        (circuits.c.job == pieces.c.job) & (circuits.c.position == pieces.c.position) & circuits.c.size.is_not(None)
    )
)
PIECE = sa.select(pieces.c.body).where(
    (pieces.c.job == sa.bindparam("this_job"))
    & (pieces.c.position == sa.bindparam("this_position"))
    & (pieces.c.number == sa.bindparam("this_number"))
)
GROW = jobs.update().where(_open_job).values(bytes=_new_size)
END = jobs.update().where(_open_job).values(bytes=_new_size, state=sa.bindparam("now_state"), ended=sa.bindparam("now"))
CANCEL = jobs.update().where(_this_job).values(state=str(JobState.CANCELLED), ended=sa.bindparam("now"))
