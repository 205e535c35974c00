"""Environments of their own for old simulators, each made once from a lock."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

LOCKS = Path(__file__).parent / "environments"
ROOT = Path(__file__).parents[3]
HOME = ROOT / ".environments/real-faults"


class NoPythonError(RuntimeError):
    """The machine lacks the Python that an old simulator needs."""


def made(name: str) -> Path:
    """Return the Python of an environment that has exactly the packages of its lock.

    The first line of a lock says which Python it is for, such as ``# Python 3.8``.

    Raises:
        NoPythonError: there is no such Python.
    """
    lock, home = LOCKS / f"{name}.txt", HOME / name
    python, installed = home / "bin/python", home / "installed.lock"
    text = lock.read_text("utf-8")
    if not installed.is_file() or installed.read_text("utf-8") != text:
        wanted = text.splitlines()[0].removeprefix("# Python ")
        _uv("venv", "--clear", "--python", _python(wanted), str(home))
        _uv("pip", "install", "--no-deps", "--python", str(python), "-r", str(lock))
        installed.write_text(text, "utf-8")
    return python


def version(name: str, package: str) -> str:
    """Return the version of a package in a lock."""
    return re.findall(
        rf"^{re.escape(package.replace('.', '-'))}==(\S+)", (LOCKS / f"{name}.txt").read_text("utf-8"), re.MULTILINE
    )[0]


def _uv(*arguments: str) -> None:
    subprocess.run([Path(sys.executable).parent / "uv", "--quiet", *arguments], check=True)


def _python(wanted: str) -> str:
    """Return a Python of a version such as 3.8: a command on the PATH that runs, or one that pyenv has."""
    candidates = [shutil.which(f"python{wanted}")]
    if shutil.which("pyenv"):
        prefix = subprocess.run(["pyenv", "prefix", wanted], capture_output=True, text=True, check=False).stdout.strip()
        candidates.append(f"{prefix}/bin/python")
    for candidate in filter(None, candidates):
        if (
            Path(candidate).is_file()
            and subprocess.run([candidate, "-c", ""], capture_output=True, check=False).returncode == 0
        ):
            return candidate
    raise NoPythonError(f"there is no Python {wanted} here")
