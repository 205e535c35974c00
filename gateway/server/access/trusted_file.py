"""Reads a small file that decides who is let in: it has to be a file, and nobody else may have written it."""

from __future__ import annotations

import os
import shlex
import stat
from pathlib import Path
from typing import NamedTuple

from gateway.errors import RequestError

MAX_BYTES = 2**20
"""The largest size that is read: some ten thousand tokens."""

TOKENS = "the tokens"
"""What is in most files that are read here."""

_OTHERS_READ = stat.S_IRGRP | stat.S_IROTH
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_OPEN = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
"""A named pipe that takes the place of the file between two looks is opened without waiting for its other end."""


class Stamp(NamedTuple):
    """What tells two states of a file apart; the time of its last change is set by the system alone.

    A change of the content within the same tick of the system's clock leaves all of it as it was, so that a reader who
    must miss nothing also reads again after a while.
    """

    device: int
    inode: int
    size: int
    modified_ns: int
    changed_ns: int
    mode: int
    owner: int


def stamp_of(file: Path, what: str = TOKENS) -> Stamp:
    """Return the stamp of a file, which is not opened.

    Args:
        file: the path of the file.
        what: what is in it, for errors.

    Raises:
        RequestError: there is no such file.
    """
    try:
        return _stamp(file.stat())
    except (OSError, ValueError) as exc:  # ValueError: a path with a null character
        raise _unreadable(file, what, exc) from exc


def read_trusted(file: Path, what: str = TOKENS, *, private: bool = False) -> tuple[Stamp, bytes]:
    """Return the stamp and the content of a file that only this user or root can change.

    It never waits: what is no regular file is not read, and neither is more than :data:`MAX_BYTES`.

    Args:
        file: the path of the file.
        what: what is in it, for errors.
        private: whether others may not even read it.

    Raises:
        RequestError: the file cannot be read, is no regular file, is too large, or others can write it.
    """
    # Before it is opened: opening is enough to set some devices going.
    _refuse_other_kinds(file, what, stamp_of(file, what))
    try:
        descriptor = os.open(file, _OPEN)
    except OSError as exc:
        raise _unreadable(file, what, exc) from exc
    try:
        stamp = _stamp(os.fstat(descriptor))
        _refuse_other_kinds(file, what, stamp)
        _refuse_other_writers(file, what, stamp, is_read_only=_is_read_only(descriptor))
        if private:
            _refuse_readers(file, what, stamp)
        content = _read(descriptor)
    except OSError as exc:
        raise _unreadable(file, what, exc) from exc
    finally:
        os.close(descriptor)
    if len(content) > MAX_BYTES:
        raise RequestError(f"{file} is larger than a file of {what.removeprefix('the ')} may be: {MAX_BYTES:,} bytes")
    return stamp, content


def _stamp(status: os.stat_result) -> Stamp:
    return Stamp(
        status.st_dev,
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
        status.st_mode,
        status.st_uid,
    )


def _refuse_other_kinds(file: Path, what: str, stamp: Stamp) -> None:
    if not stat.S_ISREG(stamp.mode):
        raise RequestError(f"cannot read {what} in {file}: it is no regular file")


def _refuse_readers(file: Path, what: str, stamp: Stamp) -> None:
    if stamp.mode & _OTHERS_READ:
        mode = stat.S_IMODE(stamp.mode)
        raise RequestError(
            f"other users can read {what} in {file} (its mode is {mode:04o}): chmod go-rwx {shlex.quote(str(file))}"
        )


def _refuse_other_writers(file: Path, what: str, stamp: Stamp, *, is_read_only: bool) -> None:
    """Refuse a file that other users can write.

    The owner does not matter where the file is mounted read-only, as containers have their secrets: the users of the
    host have other numbers there, and nobody on this side can write it.
    """
    path, mode = shlex.quote(str(file)), stat.S_IMODE(stamp.mode)
    if mode & _OTHERS_WRITE:
        raise RequestError(f"other users can write {what} in {file} (its mode is {mode:04o}): chmod go-w {path}")
    if stamp.owner not in {0, os.geteuid()} and not is_read_only:
        raise RequestError(
            f"another user (number {stamp.owner}) can write {what} in {file}, for the file is theirs: "
            f"chown {os.geteuid()} {path} && chmod go-w {path}, or mount the file read-only"
        )


def _is_read_only(descriptor: int) -> bool:
    return bool(os.fstatvfs(descriptor).f_flag & os.ST_RDONLY)


def _read(descriptor: int) -> bytes:
    """Return the content, and a byte more than the largest that is allowed if there is more."""
    parts: list[bytes] = []
    remaining = MAX_BYTES + 1
    while remaining and (part := os.read(descriptor, remaining)):
        parts.append(part)
        remaining -= len(part)
    return b"".join(parts)


def _unreadable(file: Path, what: str, exc: OSError | ValueError) -> RequestError:
    why = exc.strerror if isinstance(exc, OSError) and exc.strerror else str(exc)
    return RequestError(f"cannot read {what} in {file}: {why}")
