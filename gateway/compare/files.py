"""Writes the files that people ask for: all of a text or nothing, and never in place of anything but a file."""

from __future__ import annotations

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from gateway.errors import RequestError


def check_path(path: str | Path, *, field: str = "path") -> None:
    """Refuse, before anything runs, a path to which no text could be written afterwards.

    Args:
        path: where the text shall be written.
        field: the argument with which the path was given.

    Raises:
        RequestError: the path is empty, too long, or that of a folder; or nothing may be written there.
    """
    try:
        fault = _fault(os.fspath(path))
    except OSError as exc:
        fault = f"{path} cannot be written: {exc.strerror}"
    except (TypeError, ValueError) as exc:
        fault = f"{path!r:.100} is no path: {exc}"
    if fault:
        raise RequestError(fault, field=field)


def write_text(path: str | Path, text: str) -> None:
    """Write a text as UTF-8; a reader sees the old file or the new one, and never a half of it.

    A link stays a link: the file that it leads to is written. A file that there is keeps its mode. A device or a pipe
    is written to as it is.

    Raises:
        RequestError: see :func:`check_path`.
        OSError: the text cannot be written, and names this path; an older file is then as it was.
    """
    check_path(path)
    path, content = Path(path), text.encode()
    try:
        if _is_replaceable(path):
            _replace(Path(os.path.realpath(path)), content)
        else:
            path.write_bytes(content)
    except OSError as exc:
        raise OSError(exc.errno, exc.strerror, str(path)) from exc  # not the name of the file that becomes this one


def _fault(path: str) -> str:
    """Return why a path cannot be written; empty if it can.

    Raises:
        OSError: it cannot be looked up.
        ValueError: no path has such characters.
    """
    folder = Path(path).parent
    is_there = True
    try:
        if not path or path.endswith(os.sep) or stat.S_ISDIR(Path(path).stat().st_mode):
            return f"a file is needed, and {path!r} is {'that of a folder' if path else 'no name'}"
    except FileNotFoundError:
        is_there = False
    if not folder.is_dir():
        return f"there is no folder {folder} for {path}"
    if is_there and not os.access(path, os.W_OK):
        return f"{path} must not be written: it is protected"
    folder = Path(os.path.realpath(path)).parent
    if _is_replaceable(Path(path)) and not os.access(folder, os.W_OK | os.X_OK):
        return f"nothing can be written into the folder {folder}" if folder.is_dir() else f"there is no folder {folder}"
    return ""


def _is_replaceable(path: Path) -> bool:
    """Return whether there is nothing, or an ordinary file under the name to which all links lead.

    ``/dev/stdout`` may lead to an ordinary file, too, which has no name by which it could be replaced.
    """
    try:
        found = path.stat()
        return stat.S_ISREG(found.st_mode) and os.path.samestat(found, Path(os.path.realpath(path)).stat())
    except FileNotFoundError:
        return not path.exists()


def _replace(path: Path, content: bytes) -> None:
    """Write a file beside the one that it replaces, whose owner and mode it gets."""
    partial = path.with_name(f".{secrets.token_hex(8)}.part")
    old = path.stat() if path.exists() else None
    mode = 0o666 if old is None else stat.S_IMODE(old.st_mode)
    try:
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            if old is not None:
                with suppress(PermissionError):
                    os.fchown(file.fileno(), old.st_uid, old.st_gid)
                os.fchmod(file.fileno(), mode)
            file.write(content)
        partial.replace(path)
    finally:
        with suppress(OSError):
            partial.unlink()
