"""The commands ``gateway backup`` and ``gateway restore``, for the databases of jobs and comparisons."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from gateway.cli.arguments import UsageError
from gateway.cli.settings import state_folder
from gateway.jobs.backup import back_up, databases_in, restore

STANDARD = "-"


def make(arguments: argparse.Namespace) -> int:
    """Write a backup; a file that could not be written completely is not left behind."""
    databases = databases_in(_folder(arguments))
    if arguments.file == STANDARD:
        if sys.stdout.isatty():
            raise UsageError("a backup is no text for a terminal: name a file, or lead the output into one")
        back_up(databases, sys.stdout.buffer)
    else:
        _write(databases, Path(arguments.file))
    print(f"gateway: backed up {', '.join(path.name for path in databases)}", file=sys.stderr)
    return 0


def put_back(arguments: argparse.Namespace) -> int:
    """Put the databases of a backup in the place of those that are there."""
    folder = _folder(arguments)
    if arguments.file == STANDARD:
        names = restore(sys.stdin.buffer, folder)
    else:
        with Path(arguments.file).open("rb") as source:
            names = restore(source, folder)
    print(f"gateway: restored {', '.join(names)} in {folder}", file=sys.stderr)
    return 0


def _folder(arguments: argparse.Namespace) -> Path:
    return state_folder() if arguments.folder is None else Path(arguments.folder)


def _write(databases: list[Path], file: Path) -> None:
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:  # noqa: PTH123 - of a descriptor
            back_up(databases, target)
            target.flush()
            os.fsync(target.fileno())
        draft.replace(file)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
