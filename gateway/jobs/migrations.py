"""The steps that bring a job database from one schema to the next.

Step *n* leads from schema *n* - 1 to schema *n*; an empty database has schema 0. Add a new step at the end, and change
:mod:`gateway.jobs.tables` to what it leads to. Never change a step that was released: there are databases
that it made.
All steps that a database needs run in one transaction, so a step neither commits nor relies on code that may change.
"""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
from sqlalchemy.engine import Connection

Step = Callable[[Connection], None]

SCHEMA_1 = sa.MetaData()
"""The tables as the first step makes them; later steps change them."""

sa.Table(
    "jobs",
    SCHEMA_1,
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
    sa.Column("bytes", sa.Integer, nullable=False),
    sa.Column("idempotency_key", sa.String(255)),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("trace", sa.String(64)),
    sa.UniqueConstraint("queue", "owner", "idempotency_key"),
    sqlite_autoincrement=True,
)
sa.Table(
    "circuits",
    SCHEMA_1,
    sa.Column("job", sa.ForeignKey("jobs.number", ondelete="CASCADE"), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("request", sa.LargeBinary, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("status", sa.Integer),
    sa.Column("answer", sa.LargeBinary),
    sqlite_with_rowid=False,
)
sa.Table(
    "deployments",
    SCHEMA_1,
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("queue", sa.String(128), nullable=False, index=True),
    sa.Column("created", sa.Float, nullable=False, index=True),
    sa.Column("bytes", sa.Integer, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
)
sa.Table("schema_version", SCHEMA_1, sa.Column("version", sa.Integer, primary_key=True))


def _create_tables(connection: Connection) -> None:
    """Create the tables that are missing: a server of schema 1 that was killed at its first start left only some."""
    SCHEMA_1.create_all(connection)


def _name_the_writer(connection: Connection) -> None:
    """Store the version of the gateway beside the schema, so that an older one can name it when it refuses the file."""
    connection.execute(sa.text("ALTER TABLE schema_version ADD COLUMN gateway VARCHAR(64)"))


def _give_numbers_as_keys(connection: Connection) -> None:
    """Give each job the key by which clients that know only its number look for it.

    :mod:`gateway.legacy.qrisp.jobs` makes such keys for new jobs; before, it told its clients the numbers of rows. A
    key that a caller chose for another job keeps its meaning.
    """
    connection.execute(
        sa.text(
            "UPDATE jobs SET idempotency_key = 'qrisp-' || number WHERE idempotency_key IS NULL AND NOT EXISTS "
            "(SELECT 1 FROM jobs AS other WHERE other.idempotency_key = 'qrisp-' || jobs.number)"
        )
    )


def _keep_large_answers_in_pieces(connection: Connection) -> None:
    """Make the table of pieces, and the columns that say how large an answer is and whether a job was fetched.

    Large answers that are there already stay where they are.
    """
    is_postgresql = connection.dialect.name == "postgresql"
    binary = "BYTEA" if is_postgresql else "BLOB"
    connection.execute(sa.text("ALTER TABLE jobs ADD COLUMN fetched BOOLEAN NOT NULL DEFAULT FALSE"))
    connection.execute(sa.text("ALTER TABLE circuits ADD COLUMN size BIGINT"))
    connection.execute(
        sa.text("CREATE INDEX jobs_in_the_order_in_which_they_go ON jobs (queue, owner, fetched, number)")
    )
    connection.execute(
        sa.text(
            "CREATE TABLE pieces (job INTEGER NOT NULL, position INTEGER NOT NULL, number INTEGER NOT NULL, "
            f"body {binary} NOT NULL, PRIMARY KEY (job, position, number), "
            "FOREIGN KEY (job) REFERENCES jobs (number) ON DELETE CASCADE)"
        )
    )
    if is_postgresql:  # the results of one job may have more than 2 GiB
        connection.execute(sa.text("ALTER TABLE jobs ALTER COLUMN bytes TYPE BIGINT"))


def _keep_results_compressed_and_in_bytes(connection: Connection) -> None:
    """Make the columns that say how a job's results are written, and how large a compressed answer was.

    Answers that are there already stay as they are.
    """
    connection.execute(sa.text("ALTER TABLE jobs ADD COLUMN encoding VARCHAR(16) NOT NULL DEFAULT 'json'"))
    connection.execute(sa.text("ALTER TABLE circuits ADD COLUMN whole_size BIGINT"))


STEPS: tuple[Step, ...] = (
    _create_tables,
    _name_the_writer,
    _give_numbers_as_keys,
    _keep_large_answers_in_pieces,
    _keep_results_compressed_and_in_bytes,
)
