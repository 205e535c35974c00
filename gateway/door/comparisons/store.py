"""Keeps comparisons in an SQLite file of the door's; every change is one transaction.

A comparison is on disk before its caller hears that it was accepted. Its record and its final state are written
together. The file serves one door at a time, which locks it: a comparison that says ``running`` when the file is opened
was cut off by the end of an earlier door.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from gateway.door.comparisons import migrations
from gateway.door.comparisons.kept import Kept
from gateway.door.comparisons.tables import (
    ADD,
    ADD_CONTENT,
    ADD_RECORD,
    BEGIN,
    END,
    PUT_BACK,
    UNENDED,
    WANT_CANCELLED,
    comparisons,
    contents,
)
from gateway.jobs.database import engine, translate_errors
from gateway.jobs.holding import Hold
from gateway.jobs.never_stored import NeverStored, named_if_final
from gateway.jobs.store import KeyTakenError
from gateway.jobs.writer import GroupWriter
from gateway.protocol.door import ComparisonState
from gateway.settings import IN_MEMORY

_AT_ONCE = 100
"""The number of comparisons that one transaction removes, so that others have a turn in between."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """Everything about a comparison but its request and its record; times are seconds since 1970."""

    number: int = 0
    id: str
    owner: str
    caller: str
    state: ComparisonState = ComparisonState.QUEUED
    attempts: int = 0
    created: float
    started: float | None = None
    ended: float | None = None
    cancelled_by: str | None = None
    circuits: tuple[str, ...]
    simulators: tuple[str, ...]
    summary: str = ""
    shots: int | None = None
    resolution: float | None = None
    words: str = ""
    subject: str = ""
    loud: str = ""
    quiet: str = ""
    standing: str = ""
    error: bytes | None = None
    bytes: int = 0
    has_record: bool = False
    idempotency_key: str | None = None
    digest: str = ""


class Removable(NamedTuple):
    """An ended comparison."""

    number: int
    bytes: int


class Holdings(NamedTuple):
    """What is kept of an owner's ended comparisons."""

    number: int
    bytes: int


class Wanted(NamedTuple):
    """Which comparisons a list has.

    Args:
        owner: whose; ``None`` for everybody's.
        caller: by which caller's name; ``None`` for any.
        states: in which states; ``None`` for any.
        standing: with which standing of their record; with ``failed``, those without a record that failed, too.
        text: with this text in the name of a circuit, a simulator or a person.
    """

    owner: str | None = None
    caller: str | None = None
    states: tuple[ComparisonState, ...] | None = None
    standing: str = ""
    text: str = ""

    def condition(self) -> sa.ColumnElement[bool]:
        """Return the condition for a row."""
        table = comparisons.c
        found: list[sa.ColumnElement[bool]] = [sa.true()]
        if self.owner is not None:
            found.append(table.owner == self.owner)
        if self.caller is not None:
            found.append(table.caller == self.caller)
        if self.states is not None:
            found.append(table.state.in_(list(map(str, self.states))))
        if self.standing == ComparisonState.FAILED:
            found.append((table.standing == self.standing) | (table.state == str(ComparisonState.FAILED)))
        elif self.standing:
            found.append(table.standing == self.standing)
        if self.text:
            found.append(table.words.contains(folded(self.text), autoescape=True))
        return sa.and_(*found)


def folded(text: str) -> str:
    """Return a text as a search looks at it: without differences of case, on one line."""
    return " ".join(text.split()).casefold()


class ComparisonStore:
    """Keeps comparisons in a file.

    Args:
        path: the file; it and its folder are made if they are not there. ``:memory:`` is none, and ends with the door.
        wait_s: seconds to wait for an earlier door to end and release the file.
        durable: whether what the file was told survives a power failure, too.

    Raises:
        JobStoreError: the file cannot be used, another door uses it, or a newer version wrote it.
        StorageFull: there is no space for it.
    """

    def __init__(self, path: str | Path, *, wait_s: float = 10.0, durable: bool = True) -> None:
        is_file = str(path) != ":memory:"
        self.url = f"sqlite:///{Path(path).absolute()}" if is_file else IN_MEMORY
        self._engine = engine(self.url, durable=durable)
        with translate_errors(self.url):
            self._hold = Hold(self._engine, "", wait_s, migrations)
        self._writer = GroupWriter(self._engine) if is_file else None
        self._turn = threading.RLock()
        """Of the one connection to a database in memory."""

    def close(self) -> None:
        """Release the file, once what is being written has ended."""
        if self._writer is not None:
            self._writer.close()
        self._engine.dispose()  # before the lock is released: the next door must find nobody at the file
        self._hold.close()

    @contextlib.contextmanager
    def _writing(self, *, is_hasty: bool = False) -> Iterator[Connection]:
        with translate_errors(self.url):
            if self._writer is not None:
                with self._writer.transaction(is_hasty=is_hasty) as connection:
                    yield connection
            else:
                with self._turn, self._engine.begin() as connection:
                    yield connection

    @contextlib.contextmanager
    def _reading(self) -> Iterator[Connection]:
        turn = self._turn if self._writer is None else contextlib.nullcontext()
        with translate_errors(self.url), turn, self._engine.connect() as connection:
            yield connection

    # ------------------------------------------------------------------ writing

    def add(self, new: Stored, request: Kept) -> int:
        """Write a new comparison and return its number, which grows from one to the next.

        Raises:
            KeyTakenError: another comparison of the owner has its idempotency key.
            StorageFull: there is no space.
        """
        values = {name: getattr(new, name) for name in _COLUMNS if name != "number"}
        values |= {"state": str(new.state), "bytes": len(request.body)}
        try:
            with named_if_final("the request", request.size, "max_text_bytes"), self._writing() as connection:
                number = int(connection.execute(ADD, values).inserted_primary_key[0])  # type: ignore[index]  # an INSERT has one
                content = {"comparison": number, "request": request.body, "request_size": request.size}
                connection.execute(ADD_CONTENT, content)
                return number
        except NeverStored as exc:
            if isinstance(exc.__cause__, IntegrityError):
                raise KeyTakenError from exc
            raise exc.reason from exc

    def begin(self, number: int, now: float) -> bool:
        """Count an attempt, and say that the comparison runs; return whether it may, as nobody wants it cancelled."""
        with self._writing(is_hasty=True) as connection:  # after a power failure it runs again all the same
            return bool(connection.execute(BEGIN, {"this": number, "now": now}).rowcount)

    def want_cancelled(self, number: int, name: str) -> None:
        """Note who wants a comparison cancelled that has not ended; who said so first counts."""
        with self._writing() as connection:
            connection.execute(WANT_CANCELLED, {"this": number, "name": name})

    def put_back(self, number: int, attempts: int) -> None:
        """Say that a comparison waits again, after so many attempts."""
        with self._writing() as connection:
            connection.execute(PUT_BACK, {"this": number, "tries": attempts})

    def end(self, ended: Stored, record: Kept | None) -> bool:
        """Write how a comparison has ended, and its record; return whether it had not ended before.

        Raises:
            NeverStored: the record cannot be stored, now or later.
        """
        values = {
            "this": ended.number,
            "now_state": str(ended.state),
            "now_started": ended.started,
            "now_ended": ended.ended,
            "name": ended.cancelled_by,
            "now_loud": ended.loud,
            "now_quiet": ended.quiet,
            "now_standing": ended.standing,
            "now_error": ended.error,
            "now_has_record": record is not None,
            "more": 0 if record is None else len(record.body),
        }
        size = 0 if record is None else record.size
        with named_if_final("the record", size, "max_record_bytes"), self._writing() as connection:
            if not connection.execute(END, values).rowcount:
                return False
            if record is not None:
                content = {"this": ended.number, "now_record": record.body, "size": record.size}
                connection.execute(ADD_RECORD, content)
            return True

    def remove(self, numbers: Sequence[int]) -> None:
        """Remove comparisons that have ended."""
        for start in range(0, len(numbers), _AT_ONCE):
            some = numbers[start : start + _AT_ONCE]
            with self._writing(is_hasty=True) as connection:
                connection.execute(contents.delete().where(contents.c.comparison.in_(some)))
                connection.execute(
                    comparisons.delete().where(comparisons.c.number.in_(some) & comparisons.c.state.not_in(UNENDED))
                )

    # ------------------------------------------------------------------ reading

    def find(self, comparison_id: str) -> Stored | None:
        """Return a comparison by its id."""
        return self._one(_SELECT.where(comparisons.c.id == comparison_id))

    def find_key(self, key: str, owner: str) -> Stored | None:
        """Return an owner's comparison by its idempotency key."""
        return self._one(_SELECT.where((comparisons.c.idempotency_key == key) & (comparisons.c.owner == owner)))

    def find_earlier(self, this: Stored) -> Stored | None:
        """Return the owner's latest finished comparison of the same circuits, simulators and noise before this one."""
        table = comparisons.c
        same = (table.subject == this.subject) & (table.owner == this.owner) & (table.number < this.number)
        finished = same & (table.state == str(ComparisonState.FINISHED)) & table.has_record
        return self._one(_SELECT.where(finished).order_by(table.number.desc()).limit(1))

    def unfinished(self) -> list[Stored]:
        """Return the comparisons that have not ended, the oldest first."""
        return self._several(_SELECT.where(comparisons.c.state.in_(UNENDED)).order_by(comparisons.c.number))

    def page(self, wanted: Wanted, before: int | None, limit: int) -> list[Stored]:
        """Return comparisons, the newest first; ``before`` is the number at which the previous page ended."""
        query = _SELECT.where(wanted.condition())
        if before is not None:
            query = query.where(comparisons.c.number < before)
        return self._several(query.order_by(comparisons.c.number.desc()).limit(limit))

    def count(self, wanted: Wanted) -> int:
        """Return how many comparisons there are."""
        with self._reading() as connection:
            query = sa.select(sa.func.count()).select_from(comparisons).where(wanted.condition())
            return int(connection.scalar(query) or 0)

    def request(self, number: int) -> Kept | None:
        """Return what was asked for; ``None`` if the comparison was removed."""
        return self._content(number, contents.c.request, contents.c.request_size)

    def record(self, number: int) -> Kept | None:
        """Return the record; ``None`` if there is none, or if the comparison was removed."""
        return self._content(number, contents.c.record, contents.c.record_size)

    def holdings(self) -> dict[str, Holdings]:
        """Return owner -> what is kept of their ended comparisons."""
        columns = comparisons.c.owner, sa.func.count(), sa.func.sum(comparisons.c.bytes)
        query = sa.select(*columns).where(comparisons.c.state.not_in(UNENDED)).group_by(comparisons.c.owner)
        with self._reading() as connection:
            return {owner: Holdings(int(number), int(size)) for owner, number, size in connection.execute(query)}

    def oldest(self, owner: str, limit: int) -> list[Removable]:
        """Return an owner's ended comparisons, the oldest first."""
        return self._removable(comparisons.c.owner == owner, limit)

    def ended_before(self, moment: float, limit: int) -> list[Removable]:
        """Return comparisons that ended before a moment."""
        return self._removable(comparisons.c.ended < moment, limit)

    def _removable(self, condition: sa.ColumnElement[bool], limit: int) -> list[Removable]:
        query = sa.select(comparisons.c.number, comparisons.c.bytes).where(
            condition & comparisons.c.state.not_in(UNENDED)
        )
        with self._reading() as connection:
            return [Removable(*row) for row in connection.execute(query.order_by(comparisons.c.number).limit(limit))]

    def _content(self, number: int, body: sa.Column[Any], size: sa.Column[Any]) -> Kept | None:
        with self._reading() as connection:
            row = connection.execute(sa.select(body, size).where(contents.c.comparison == number)).one_or_none()
        return None if row is None or row[0] is None else Kept(*row)

    def _one(self, query: sa.Select[Any]) -> Stored | None:
        return next(iter(self._several(query)), None)

    def _several(self, query: sa.Select[Any]) -> list[Stored]:
        with self._reading() as connection:
            return [_stored(row) for row in connection.execute(query)]


_COLUMNS = [field.name for field in fields(Stored)]
_SELECT = sa.select(*[comparisons.c[name] for name in _COLUMNS])


def _stored(row: Any) -> Stored:  # noqa: ANN401 - a row of _SELECT
    values = row._asdict()
    names = {name: tuple(values[name]) for name in ("circuits", "simulators")}
    return Stored(**{**values, **names, "state": ComparisonState(values["state"])})
