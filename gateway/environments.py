"""Finds the environments of simulators whose packages the current environment lacks.

The packages of some simulators conflict with those of others, or do not support the newest Python. Simulators
whose packages fit together form a group. Each group has an environment in ``FOLDER/GROUP``, and its Python runs
the servers of the group wherever the current environment lacks their packages.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

VARIABLE = "GATEWAY_ENVIRONMENTS"
"""The variable with the folders of environments, separated as in PATH; a checkout has ``.environments`` besides."""


def find_python(group: str, distribution: str) -> Path | None:
    """Return the Python of the group's environment that has a distribution, or ``None``, without starting it."""
    for home in _homes(group):
        if _version(home, distribution) is not None:
            return home / "bin" / "python"
    return None


def find_version(group: str, distribution: str) -> str | None:
    """Return the version of a distribution in the group's environment, or ``None``."""
    versions = (_version(home, distribution) for home in _homes(group))
    return next((version for version in versions if version is not None), None)


def _homes(group: str) -> Iterator[Path]:
    folders = [Path(folder) for folder in os.environ.get(VARIABLE, "").split(os.pathsep) if folder]
    checkout = Path(__file__).resolve().parent.parent
    homes = [*(folder / group for folder in folders), checkout / ".environments" / group]
    for home in [*homes, *([checkout / ".venv"] if group == "main" else [])]:
        if (home / "bin" / "python").exists() and home.resolve() != Path(sys.prefix).resolve():
            yield home


def _version(home: Path, distribution: str) -> str | None:
    from importlib import metadata  # noqa: PLC0415 - needed only for packages that this environment lacks

    paths = [str(path) for path in home.glob("lib/python3*/site-packages")]
    packages = metadata.distributions(name=distribution, path=paths)
    return next((package.version for package in packages), None)
