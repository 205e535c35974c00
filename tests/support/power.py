"""A folder from which a power failure takes what was not synced."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from random import Random

import pytest

_SOURCE = Path(__file__).with_name("power.c")
_PAGE = 4096


class Disk:
    """A folder of which we know what has reached the disk.

    Programs that run with ``environment`` note what they sync, see ``power.c``. When the power fails, the folder has
    the entries that it had when it was last synced, and each file what it had then. Kill the programs first.

    Args:
        folder: where the folder is made, and beside it what is kept of it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "power"
        self._disk = folder / "disk"
        self._content = self._disk / "content"
        self.folder.mkdir()
        self._content.mkdir(parents=True)
        library = folder / "power.so"
        compiler = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
        if compiler is None:
            if os.environ.get("CI"):
                pytest.fail("there is no C compiler: nothing can be proved about power failures")
            pytest.skip("this machine has no C compiler, which makes the library that notes what is synced")
        subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, _SOURCE, "-ldl", "-pthread"], check=True)
        self.environment = {
            "LD_PRELOAD": str(library),
            "POWER_FOLDER": str(self.folder),
            "POWER_DISK": str(self._disk),
        }

    def fail(self, random: Random | None = None) -> None:
        """Let the power fail.

        Args:
            random: decides for each page that was not synced whether it has reached the disk all the same; by default
                none has.
        """
        found = {path.stat().st_ino: path.read_bytes() for path in self.folder.iterdir()}
        kept = {}
        for entry in self._entries():
            inode, _, name = entry.partition(" ")
            synced = self._content / inode
            content = synced.read_bytes() if synced.exists() else b""
            kept[name] = content if random is None else _torn(content, found.get(int(inode), b""), random)
        for folder in (self.folder, self._content):
            for path in folder.iterdir():
                path.unlink()
        entries = []
        for name, content in kept.items():
            path = self.folder / name
            path.write_bytes(content)
            inode = path.stat().st_ino
            (self._content / str(inode)).write_bytes(content)
            entries.append(f"{inode} {name}\n")
        (self._disk / "entries").write_text("".join(entries), encoding="utf-8")

    def _entries(self) -> list[str]:
        try:
            return (self._disk / "entries").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []


def _torn(synced: bytes, written: bytes, random: Random) -> bytes:
    """Return a file of which some pages are as they were synced, and others as they were written since."""
    size = random.choice((len(synced), len(written)))
    pages = []
    for start in range(0, size, _PAGE):
        end = min(start + _PAGE, size)
        page = random.choice((synced, written))[start:end]
        pages.append(page.ljust(end - start, b"\0"))
    return b"".join(pages)
