"""The steps that bring the door's file of comparisons from one schema to the next, as those of jobs do for theirs.

Add a new step at the end, and change :mod:`gateway.door.comparisons.tables` to what it leads to. Never change a step
that was released.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gateway.jobs.migrations import Step

SCHEMA_1 = sa.MetaData()
"""The tables as the first step makes them; later steps change them."""

sa.Table(
    "comparisons",
    SCHEMA_1,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("id", sa.String(64), nullable=False, unique=True),
    sa.Column("owner", sa.String(128), nullable=False),
    sa.Column("caller", sa.String(128), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
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
    sa.Column("loud", sa.String, nullable=False),
    sa.Column("quiet", sa.String, nullable=False),
    sa.Column("standing", sa.String(16), nullable=False),
    sa.Column("error", sa.LargeBinary),
    sa.Column("bytes", sa.Integer, nullable=False),
    sa.Column("has_record", sa.Boolean, nullable=False),
    sa.Column("idempotency_key", sa.String(255)),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.UniqueConstraint("owner", "idempotency_key"),
    sa.Index("comparisons_of_an_owner", "owner", "number"),
    sa.Index("comparisons_in_a_state", "state", "number"),
    sa.Index("comparisons_of_a_subject", "subject", "number"),
    sqlite_autoincrement=True,
)
sa.Table(
    "contents",
    SCHEMA_1,
    sa.Column("comparison", sa.ForeignKey("comparisons.number", ondelete="CASCADE"), primary_key=True),
    sa.Column("request", sa.LargeBinary, nullable=False),
    sa.Column("request_size", sa.Integer, nullable=False),
    sa.Column("record", sa.LargeBinary),
    sa.Column("record_size", sa.Integer),
)
sa.Table(
    "schema_version",
    SCHEMA_1,
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("gateway", sa.String(64)),
)


def _create_tables(connection: Connection) -> None:
    SCHEMA_1.create_all(connection)


STEPS: tuple[Step, ...] = (_create_tables,)
