"""The file of tokens is read when it changes, and only if it is a file that nobody else can write."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from support.waiting import wait_until

from gateway.errors import RequestError
from gateway.server.access import tokens as module
from gateway.server.access import trusted_file
from gateway.server.access.tokens import Tokens


def line(name: str) -> str:
    """Return the line of somebody whose token is their name."""
    return f"{name} sha256:{hashlib.sha256(name.encode()).hexdigest()}\n"


def holder(tokens: Tokens, token: str) -> str | None:
    found = tokens.find(token)
    return None if found is None else found.name


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "tokens"
    file.write_text(line("ann"))
    file.chmod(0o600)
    return file


@pytest.fixture
def errors(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    return lambda: [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666, 0o664, 0o777])
def test_a_file_that_others_can_write_is_refused_with_the_command_that_mends_it(file: Path, mode: int):
    file.chmod(mode)
    with pytest.raises(RequestError, match=rf"other users can write .*mode is 0{mode:o}\): chmod go-w \S*/tokens$"):
        Tokens(file=file)


@pytest.mark.parametrize(
    ("listed", "rights"),
    [
        ("", {"run", "compare"}),
        (" run", {"run"}),
        ("\tcompare , admin  # the one who looks after it", {"compare", "admin"}),
        (" run,run", {"run"}),
    ],
)
def test_an_entry_lists_the_rights_of_its_token(file: Path, listed: str, rights: set[str]):
    file.write_text(f"{line('ann').rstrip()}{listed}\n{line('bob').rstrip()} admin\n")
    tokens = Tokens(file=file)
    assert tokens.find("ann").rights == rights
    assert tokens.find("bob").rights == {"admin"}


@pytest.mark.parametrize("listed", ["ruin", "run compare", "run,", "RUN", "s3cret"])
def test_a_right_that_there_is_not_is_refused_with_its_line_and_not_quoted(file: Path, listed: str):
    file.write_text(f"# those who are let in\n\n{line('ann').rstrip()} {listed}\n")
    with pytest.raises(RequestError, match=r"^tokens, line 3: the rights of a token are run, compare, admin") as caught:
        Tokens(file=file)
    assert f"{listed!r}" not in caught.value.message


@pytest.mark.parametrize("mode", [0o400, 0o600, 0o644, 0o444, 0o755])
def test_a_file_that_others_can_only_read_is_taken(file: Path, mode: int):
    file.chmod(mode)
    assert holder(Tokens(file=file), "ann") == "ann"


def test_the_path_in_the_command_is_quoted(tmp_path: Path):
    file = tmp_path / "the tokens; of all"
    file.touch()
    file.chmod(0o666)
    with pytest.raises(RequestError, match=r"chmod go-w '/.*/the tokens; of all'$"):
        Tokens(file=file)


@pytest.fixture
def of_somebody_else(file: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    if os.geteuid() == 0:
        os.chown(file, 54_321, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    return file


def test_a_file_of_another_user_is_refused(of_somebody_else: Path):
    with pytest.raises(RequestError, match=r"another user .* can write .*: chown \d+ \S+ && chmod go-w \S+, or mount"):
        Tokens(file=of_somebody_else)


def test_a_file_that_is_mounted_read_only_may_belong_to_anybody_but_not_be_writable(
    of_somebody_else: Path, monkeypatch: pytest.MonkeyPatch
):
    real = os.fstatvfs

    def read_only(descriptor: int) -> os.statvfs_result:
        values = list(real(descriptor))
        values[8] |= os.ST_RDONLY
        return os.statvfs_result(values)

    monkeypatch.setattr(os, "fstatvfs", read_only)
    assert holder(Tokens(file=of_somebody_else), "ann") == "ann"
    of_somebody_else.chmod(0o666)
    with pytest.raises(RequestError, match="other users can write"):
        Tokens(file=of_somebody_else)


def fifo(path: Path) -> None:
    os.mkfifo(path, 0o600)


def folder(path: Path) -> None:
    path.mkdir()


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def listening_socket(path: Path) -> None:
    with contextlib.chdir(path.parent), socket.socket(socket.AF_UNIX) as sock:
        sock.bind(path.name)  # the whole path may be longer than the address of a socket


def loop(path: Path) -> None:
    path.symlink_to(path)


def sparse(path: Path) -> None:
    with path.open("wb") as written:
        written.truncate(10**12)


def a_byte_too_large(path: Path) -> None:
    path.write_bytes(b"#" * (trusted_file.MAX_BYTES + 1))


def writable(path: Path) -> None:
    path.write_text(line("mallory"))
    path.chmod(0o666)


def nothing(path: Path) -> None:
    """Leave the path free."""


STRANGE = [fifo, folder, device, listening_socket, loop, sparse, a_byte_too_large, writable, nothing]


@pytest.mark.parametrize("put", STRANGE)
def test_what_is_no_file_of_tokens_is_refused_at_once(file: Path, put: Callable[[Path], None]):
    file.unlink()
    put(file)
    with pytest.raises(RequestError, match="tokens"):
        Tokens(file=file)


@pytest.mark.parametrize("put", STRANGE)
def test_what_takes_the_place_of_the_file_leaves_the_tokens_valid_and_is_logged_once(file: Path, put, errors):
    tokens = Tokens(file=file)
    file.unlink()
    put(file)
    assert [holder(tokens, name) for name in ("ann", "mallory") * 5] == ["ann", None] * 5
    assert len(errors()) == 1
    assert errors()[0].startswith("the tokens read before stay valid: ")
    _replace(file, line("bob"))
    assert [holder(tokens, name) for name in ("ann", "bob")] == [None, "bob"]
    file.chmod(0o606)
    assert holder(tokens, "bob") == "bob"
    assert len(errors()) == 2, "a second fault is a second line"


def test_a_pipe_that_comes_between_look_and_reading_hangs_nobody(file: Path, monkeypatch: pytest.MonkeyPatch):
    regular = trusted_file.stamp_of(file)
    file.unlink()
    fifo(file)
    monkeypatch.setattr(trusted_file, "stamp_of", lambda *_: regular)
    with pytest.raises(RequestError, match="no regular file"):
        trusted_file.read_trusted(file)


def test_the_largest_file_is_taken(file: Path):
    file.write_text(line("ann") + "#" * (trusted_file.MAX_BYTES - len(line("ann"))))
    assert holder(Tokens(file=file), "ann") == "ann"


def test_a_replacement_of_the_same_size_time_and_inode_is_seen(file: Path):
    tokens = Tokens(file=file)
    for before, name in (("ann", "bob"), ("bob", "cid")):
        status = file.stat()
        with file.open("r+") as written:
            written.write(line(name))
        os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
        now = file.stat()
        assert (now.st_size, now.st_mtime_ns, now.st_ino) == (status.st_size, status.st_mtime_ns, status.st_ino)
        wait_until(lambda name=name: holder(tokens, name) == name, "the change to be seen")
        assert holder(tokens, before) is None


def test_a_replacement_with_the_very_same_stamp_is_seen_a_second_later(file: Path, monkeypatch: pytest.MonkeyPatch):
    tokens = Tokens(file=file)
    stamp = trusted_file.stamp_of(file)
    monkeypatch.setattr(module, "stamp_of", lambda _: stamp)
    monkeypatch.setattr(module, "read_trusted", lambda path: (stamp, path.read_bytes()))
    monkeypatch.setattr(module.time, "monotonic", lambda: tokens._read_at + 0.9)
    file.write_text(line("bob"))
    assert holder(tokens, "bob") is None
    read_at = tokens._read_at
    monkeypatch.setattr(module.time, "monotonic", lambda: read_at + 1.0)
    assert (holder(tokens, "bob"), holder(tokens, "ann")) == ("bob", None)


def test_a_file_that_does_not_change_is_not_read_for_every_request(file: Path, monkeypatch: pytest.MonkeyPatch):
    read: list[Path] = []
    real = module.read_trusted
    monkeypatch.setattr(module, "read_trusted", lambda path: read.append(path) or real(path))
    tokens = Tokens(file=file)
    monkeypatch.setattr(module.time, "monotonic", lambda: tokens._read_at)
    for put in (lambda: None, lambda: file.write_text("this is no token\n")):
        put()
        before = len(read)
        for _ in range(100):
            holder(tokens, "ann")
        assert len(read) <= before + 1


def test_no_request_waits_for_the_reading_of_another(file: Path, monkeypatch: pytest.MonkeyPatch):
    tokens = Tokens(file=file)
    begun, go_on = threading.Event(), threading.Event()

    def slow(path: Path) -> tuple[trusted_file.Stamp, bytes]:
        begun.set()
        go_on.wait(60)
        return trusted_file.read_trusted(path)

    monkeypatch.setattr(module, "read_trusted", slow)
    _replace(file, line("bob"))
    reader = threading.Thread(target=tokens.find, args=("bob",))
    reader.start()
    begun.wait(60)
    assert holder(tokens, "ann") == "ann", "while another reads, what was read before holds"
    go_on.set()
    reader.join(60)
    assert (holder(tokens, "ann"), holder(tokens, "bob")) == (None, "bob")


def _replace(file: Path, content: str) -> None:
    fresh = file.with_suffix(".new")
    fresh.write_text(content)
    fresh.chmod(0o600)
    if file.is_dir() and not file.is_symlink():
        file.rmdir()
    fresh.rename(file)
