"""A backup is whole or an error, is made while a server writes, and replaces nothing that a server uses."""

from __future__ import annotations

import io
import sqlite3
import stat
import subprocess
import sys
import tarfile
import threading
from pathlib import Path

import pytest

from gateway.cli import main
from gateway.errors import JobStoreError, RequestError, StorageFull
from gateway.jobs import backup
from gateway.jobs.store import JobStore


def fill(database: Path, *words: str) -> None:
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE IF NOT EXISTS said (word TEXT)")
    connection.executemany("INSERT INTO said VALUES (?)", [(word,) for word in words])
    connection.commit()
    connection.close()


def words(database: Path) -> list[str]:
    connection = sqlite3.connect(database)
    found = [word for (word,) in connection.execute("SELECT word FROM said ORDER BY rowid")]
    connection.close()
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "state"
    folder.mkdir()
    fill(folder / "jobs-qulacs-8088.sqlite", "a", "b")
    fill(folder / "comparisons-8080.sqlite", "c")
    (folder / "door.key").write_text("no database")
    return folder


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def archive(folder: Path) -> bytes:
    target = io.BytesIO()
    backup.back_up(backup.databases_in(folder), target)
    return target.getvalue()


def test_what_was_backed_up_comes_back_in_a_new_folder_for_its_user_alone(folder: Path, tmp_path: Path):
    names = backup.restore(io.BytesIO(archive(folder)), tmp_path / "new")
    assert names == ["comparisons-8080.sqlite", "jobs-qulacs-8088.sqlite"]
    assert words(tmp_path / "new" / names[0]) == ["c"]
    assert words(tmp_path / "new" / names[1]) == ["a", "b"]
    assert stat.S_IMODE((tmp_path / "new" / names[0]).stat().st_mode) == 0o600
    assert files(folder) == ["comparisons-8080.sqlite", "door.key", "jobs-qulacs-8088.sqlite"]


def test_a_database_is_replaced_with_all_that_was_beside_it(folder: Path):
    content = archive(folder)
    database = folder / "jobs-qulacs-8088.sqlite"
    later = sqlite3.connect(database)
    later.execute("INSERT INTO said VALUES ('later')")
    later.commit()
    assert words(database) == ["a", "b", "later"]
    assert Path(f"{database}-wal").exists()
    backup.restore(io.BytesIO(content), folder)
    later.close()
    assert words(database) == ["a", "b"]


def test_a_backup_is_of_one_moment_while_others_write(folder: Path):
    database = folder / "jobs-qulacs-8088.sqlite"
    ended, rounds = threading.Event(), 0

    def write() -> None:
        nonlocal rounds
        connection = sqlite3.connect(database, timeout=30)
        while not ended.is_set():
            connection.execute("INSERT INTO said VALUES ('x'), ('y')")
            connection.commit()
            rounds += 1
        connection.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(10):
            target = folder.parent / f"restored-{number}"
            backup.restore(io.BytesIO(archive(folder)), target)
            found = words(target / database.name)[2:]
            assert found == ["x", "y"] * (len(found) // 2)
    finally:
        ended.set()
        writer.join()
    assert rounds > 10


def test_a_database_of_a_running_server_is_copied_and_not_replaced(tmp_path: Path):
    store = JobStore(f"sqlite:///{tmp_path / 'jobs.sqlite'}")
    try:
        content = archive(tmp_path)
        with pytest.raises(JobStoreError, match=r"another server uses the job database .*jobs.sqlite"):
            backup.restore(io.BytesIO(content), tmp_path)
    finally:
        store.close()
    assert backup.restore(io.BytesIO(content), tmp_path) == ["jobs.sqlite"]
    JobStore(f"sqlite:///{tmp_path / 'jobs.sqlite'}").close()


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.8])
def test_a_backup_that_was_cut_short_replaces_nothing(folder: Path, share: float):
    content = archive(folder)
    fill(folder / "comparisons-8080.sqlite", "later")
    with pytest.raises(RequestError, match="this is no "):
        backup.restore(io.BytesIO(content[: int(share * len(content))]), folder)
    assert words(folder / "comparisons-8080.sqlite") == ["c", "later"]
    assert not [name for name in files(folder) if name.startswith(".")]


def test_a_backup_that_was_changed_is_refused(folder: Path):
    content = bytearray(archive(folder))
    position = content.rindex(b"SQLite format 3")
    content[position : position + 6] = b"nothing"[:6]
    with pytest.raises(RequestError, match="no whole backup"):
        backup.restore(io.BytesIO(bytes(content)), folder)


@pytest.mark.parametrize("name", ["../up.sqlite", "/etc/x.sqlite", "door.key", "a/b.sqlite"])
def test_a_backup_that_would_write_elsewhere_is_refused(tmp_path: Path, name: str):
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w|") as made:
        text = f'{{"version":"1","databases":{{"{name}":1}}}}'.encode()
        backup._add(made, "backup.json", io.BytesIO(text), len(text))
        backup._add(made, name, io.BytesIO(b"x"), 1)
    with pytest.raises(RequestError, match="is not the name of a database"):
        backup.restore(io.BytesIO(target.getvalue()), tmp_path / "new")
    assert files(tmp_path / "new") == []


@pytest.mark.parametrize("content", [b"", b"no tar at all", b"\0" * 10_240])
def test_what_is_no_backup_is_refused(tmp_path: Path, content: bytes):
    with pytest.raises(RequestError, match="this is no "):
        backup.restore(io.BytesIO(content), tmp_path)


def test_a_damaged_database_is_not_backed_up(folder: Path):
    (folder / "jobs-qulacs-8088.sqlite").write_bytes(b"SQLite format 3\0" + b"x" * 5000)
    with pytest.raises(JobStoreError, match=r"cannot copy .*jobs-qulacs-8088"):
        archive(folder)


def test_a_folder_without_databases_is_an_error(tmp_path: Path):
    with pytest.raises(RequestError, match="there is no database in "):
        backup.databases_in(tmp_path)


def test_the_commands_write_and_read_a_file_or_a_pipe(folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    file = tmp_path / "backup.tar"
    assert main(["backup", str(file), "--folder", str(folder)]) == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert capfd.readouterr().err == "gateway: backed up comparisons-8080.sqlite, jobs-qulacs-8088.sqlite\n"
    assert main(["restore", str(file), "--folder", str(tmp_path / "one")]) == 0
    assert words(tmp_path / "one" / "comparisons-8080.sqlite") == ["c"]
    made = subprocess.run(
        [sys.executable, "-m", "gateway", "backup", "-", "--folder", str(folder)], check=True, capture_output=True
    )
    subprocess.run(
        [sys.executable, "-m", "gateway", "restore", "-", "--folder", str(tmp_path / "two")],
        input=made.stdout,
        check=True,
        capture_output=True,
    )
    assert words(tmp_path / "two" / "jobs-qulacs-8088.sqlite") == ["a", "b"]


def test_a_backup_that_does_not_fit_on_the_disk_leaves_the_earlier_one(folder: Path, tmp_path: Path):
    file = tmp_path / "backup.tar"
    file.write_text("the earlier one")
    command = f"{sys.executable} -m gateway backup {file} --folder {folder}"
    limited = f"trap '' XFSZ; ulimit -f 8; PYTHONDONTWRITEBYTECODE=1 {command}"
    done = subprocess.run(["bash", "-c", limited], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("gateway: ")
    assert len(done.stderr.splitlines()) == 1
    assert file.read_text() == "the earlier one"
    assert files(tmp_path) == ["backup.tar", "state"]
    assert not [name for name in files(folder) if name.startswith(".")]


def test_a_disk_without_space_for_a_copy_is_storage_full(folder: Path, monkeypatch: pytest.MonkeyPatch):
    def full(_database: Path) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(backup, "_check", full)
    with pytest.raises(StorageFull, match="disk is full"):
        archive(folder)
