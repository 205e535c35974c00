"""Copies databases of jobs and of comparisons while servers use them, and puts the copies back.

A backup is a tar: a list of what is in it, and each database as one file. Each is as it was at one moment.
"""

from __future__ import annotations

import contextlib
import io
import os
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

import msgspec

from gateway.errors import JobStoreError, RequestError, StorageFull
from gateway.jobs.database import engine, exclusively
from gateway.version import __version__

SUFFIX = ".sqlite"
_LIST = "backup.json"
_BESIDE = ("-wal", "-shm", "-journal")
_PIECE = 2**20


class Contents(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is in a backup.

    Args:
        version: of the gateway that made it.
        databases: name of a database's file -> its size in bytes.
    """

    version: str
    databases: dict[str, int]


def databases_in(folder: Path) -> list[Path]:
    """Return the databases in a folder.

    Raises:
        RequestError: there is none.
    """
    found = sorted(path for path in folder.glob(f"*{SUFFIX}") if path.is_file())
    if not found:
        raise RequestError(f"there is no database in {folder}")
    return found


def back_up(databases: Sequence[Path], target: IO[bytes]) -> None:
    """Write a backup; servers that use the databases go on meanwhile.

    Each database is first copied into its own folder, which needs as much space again.

    Args:
        databases: the databases, of different names.
        target: what the backup is written to.

    Raises:
        StorageFull: there is no space for a copy.
        JobStoreError: a database cannot be read, or is damaged.
    """
    with contextlib.ExitStack() as copies:
        made = {path.name: copies.enter_context(_copy(path)) for path in databases}
        contents = Contents(__version__, {name: copy.stat().st_size for name, copy in made.items()})
        with tarfile.open(fileobj=target, mode="w|") as archive:
            _add(archive, _LIST, io.BytesIO(encoded := msgspec.json.encode(contents)), len(encoded))
            for name, copy in made.items():
                with copy.open("rb") as content:
                    _add(archive, name, content, contents.databases[name])


def restore(source: IO[bytes], folder: Path) -> list[str]:
    """Put the databases of a backup into a folder, in the place of those of the same names.

    Nothing is replaced before all of them have been read and found whole, and none that a server uses.

    Args:
        source: the backup.
        folder: where servers will look for the databases.

    Returns:
        The names of the databases.

    Raises:
        RequestError: it is no backup, or not a whole one.
        JobStoreError: a server uses a database.
        StorageFull: there is no space for the databases.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(prefix=".restored-", dir=folder) as drafts, contextlib.ExitStack() as locks:
        names = _unpacked(source, Path(drafts))
        for name in names:
            locks.enter_context(exclusively(engine(f"sqlite:///{folder / name}"), "", 0))
        for name in names:
            for suffix in _BESIDE:
                (folder / f"{name}{suffix}").unlink(missing_ok=True)
            (Path(drafts) / name).replace(folder / name)
    return names


@contextlib.contextmanager
def _copy(database: Path) -> Iterator[Path]:
    """Yield a copy of a database as it is now, which is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=database.parent) as folder:
        copy = Path(folder) / database.name
        try:
            with (
                contextlib.closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=rw", uri=True)) as original,
                contextlib.closing(sqlite3.connect(copy)) as connection,
            ):
                original.backup(connection)
                connection.execute("PRAGMA journal_mode=DELETE")  # in one file
            _check(copy)
        except sqlite3.Error as exc:
            kind = StorageFull if "full" in str(exc) else JobStoreError
            raise kind(f"cannot copy {database}: {exc}", url=str(database)) from exc
        yield copy


def _check(database: Path) -> None:
    """Refuse a damaged database.

    Raises:
        sqlite3.DatabaseError: it is one.
    """
    with contextlib.closing(sqlite3.connect(database)) as connection:
        (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise sqlite3.DatabaseError(found)


def _add(archive: tarfile.TarFile, name: str, content: IO[bytes], size: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o600
    archive.addfile(entry, content)


def _unpacked(source: IO[bytes], drafts: Path) -> list[str]:
    """Write the databases of a backup into a folder of their own, and return their names."""
    try:
        with tarfile.open(fileobj=source, mode="r|") as archive:
            wanted = _contents(archive)
            for name, size in wanted.items():
                entry = archive.next()
                content = None if entry is None or entry.name != name else archive.extractfile(entry)
                if entry is None or content is None or entry.size != size:
                    raise RequestError(f"this is no whole backup: {name} is not in it")
                _write(content, drafts / name, size)
                _check(drafts / name)
    except (tarfile.TarError, sqlite3.Error, EOFError) as exc:
        raise RequestError(f"this is no whole backup of the gateway's: {exc}") from exc
    return list(wanted)


def _contents(archive: tarfile.TarFile) -> dict[str, int]:
    first = archive.next()
    content = None if first is None or first.name != _LIST or first.size > _PIECE else archive.extractfile(first)
    if content is None:
        raise RequestError("this is no backup of the gateway's")
    try:
        databases = msgspec.json.decode(content.read(), type=Contents).databases
    except msgspec.DecodeError as exc:
        raise RequestError(f"this is no backup of the gateway's: {exc}") from exc
    for name in databases:
        if name != Path(name).name or not name.endswith(SUFFIX):
            raise RequestError(f"this is no backup of the gateway's: {name!r:.100} is not the name of a database")
    return databases


def _write(content: IO[bytes], draft: Path, size: int) -> None:
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123 - of a descriptor
        while piece := content.read(_PIECE):
            file.write(piece)
        if file.tell() != size:
            raise EOFError("it was cut short")
        file.flush()
        os.fsync(file.fileno())
