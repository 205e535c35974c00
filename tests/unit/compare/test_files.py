"""Files are written whole or not at all, and nothing but a file is ever replaced."""

from __future__ import annotations

import os
import resource
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.compare.files import check_path, write_text
from gateway.errors import RequestError

LONGEST = 255
"""The bytes that a name may have."""


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    """Let every write beyond some bytes fail, as on a full disk."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_text_is_written_as_it_is(tmp_path):
    path = tmp_path / "t.csv"
    write_text(path, "a,ä\r\nb\n")
    assert path.read_bytes() == "a,ä\r\nb\n".encode()


def test_a_write_that_fails_names_the_file_and_leaves_the_old_one_and_nothing_else(tmp_path):
    path = tmp_path / "r.json"
    path.write_text("old")
    with no_file_larger_than(10), pytest.raises(OSError, match=r"File too large: '[^']*/r\.json'$"):
        write_text(path, "new" * 100)
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("r.json", "old")]


@pytest.mark.parametrize("permissions", [0o600, 0o664, 0o755])
def test_a_file_keeps_its_mode(tmp_path, permissions):
    path = tmp_path / "r.json"
    path.touch()
    path.chmod(permissions)
    write_text(path, "new")
    assert (path.read_text(), mode(path)) == ("new", permissions)


def test_a_new_file_has_the_mode_of_new_files(tmp_path):
    (tmp_path / "other").touch()
    write_text(tmp_path / "r.json", "new")
    assert mode(tmp_path / "r.json") == mode(tmp_path / "other")


def test_a_link_stays_a_link_and_its_file_is_written(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    link, file = tmp_path / "r.json", tmp_path / "elsewhere" / "file.json"
    link.symlink_to(file)
    for text in ("new", "newer"):
        write_text(link, text)
        assert link.is_symlink()
        assert file.read_text() == text
    assert list(file.parent.iterdir()) == [file]


def test_a_pipe_is_written_to_and_stays_one(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    texts: list[str] = []
    reader = threading.Thread(target=lambda: texts.append(pipe.read_text()))
    reader.start()
    write_text(pipe, "through")
    reader.join()
    assert texts == ["through"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_device_stays_one(tmp_path):
    before = Path(os.devnull).stat()
    link = tmp_path / "link"
    link.symlink_to(os.devnull)
    for path in (os.devnull, link):
        write_text(path, "nothing")
    assert os.path.samestat(before, Path(os.devnull).stat())
    assert link.is_symlink()


def test_an_open_file_without_a_name_is_written_to(tmp_path):
    with (tmp_path / "gone").open("w+") as file:
        (tmp_path / "gone").unlink()
        write_text(f"/dev/fd/{file.fileno()}", "new")
        assert file.read() == "new"
    assert list(tmp_path.iterdir()) == []


def test_the_longest_name_can_be_written(tmp_path):
    path = tmp_path / ("n" * LONGEST)
    write_text(path, "new")
    assert path.read_text() == "new"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "a file is needed, and '' is no name"),
        (".", r"a file is needed, and '\.' is that of a folder"),
        ("/", "a file is needed, and '/' is that of a folder"),
        ("new/", "a file is needed, and 'new/' is that of a folder"),
        ("n" * (LONGEST + 1), f"n{{{LONGEST + 1}}} cannot be written: File name too long"),
        ("no/r.json", "there is no folder no for no/r.json"),
        ("file/r.json", "file/r.json cannot be written: Not a directory"),
        ("itself", "itself cannot be written: Too many levels of symbolic links"),
        ("astray", "there is no folder .*/no$"),
        ("a\0b", r"'a\\x00b' is no path: .*null"),
        (None, "None is no path"),
    ],
)
def test_what_can_be_no_file_is_refused_by_the_name_that_was_given(tmp_path, monkeypatch, name, message):
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    Path("itself").symlink_to("itself")
    Path("astray").symlink_to("no/r.json")
    with pytest.raises(RequestError, match=f"^{message}") as caught:
        check_path(name, field="save")
    assert caught.value.field == "save"
    with pytest.raises(RequestError, match=f"^{message}"):
        write_text(name, "new")
    assert {each.name for each in tmp_path.iterdir()} == {"file", "itself", "astray"}


def test_what_is_protected_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "r.json"
    path.touch()
    monkeypatch.setattr(os, "access", lambda asked, _: Path(asked) != path)  # nothing is protected from root
    with pytest.raises(RequestError, match="must not be written: it is protected"):
        check_path(path)
    monkeypatch.setattr(os, "access", lambda asked, _: Path(asked) != tmp_path)
    with pytest.raises(RequestError, match="nothing can be written into the folder"):
        check_path(tmp_path / "new.json")
