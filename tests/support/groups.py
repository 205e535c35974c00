"""Knows the environment in which the tests run, and which tests belong there.

Each group of simulators has an environment of its own. Tests that look inside an adapter, or convert to its framework,
run in the environment of its group; ``scripts/test`` runs the tests in all of them.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from gateway.simulators import SIMULATORS, Simulator

GROUPS = {row.group for row in SIMULATORS.values()}
_FOR_EACH = {"test_frameworks.py"}
"""The suites that run in each environment, beside tests/conformance."""


def _current(prefix: Path) -> str:
    return prefix.name if prefix.parent.name == ".environments" and prefix.name in GROUPS else "main"


GROUP = _current(Path(sys.prefix))


def is_here(name: str) -> bool:
    """Return whether a simulator or a framework, by its name, belongs to this environment and this Python."""
    rows = [row for row in SIMULATORS.values() if name == row.name or name == row.packages[0]]
    return GROUP in ({row.group for row in rows} or {"main"}) and all(map(_fits, rows))


def _fits(row: Simulator) -> bool:
    """Return whether the packages of a simulator are there for this Python."""
    markers = [Requirement(requirement).marker for requirement in row.requires]
    return all(marker is None or marker.evaluate() for marker in markers)


def belongs_here(path: Path) -> bool:
    """Return whether a file of tests runs in this environment."""
    if path.parent.name == "conformance" or path.name in _FOR_EACH:
        return True
    inside = path.parent.name in {"adapters", "frameworks"} and path.parent.parent.name == "unit"
    return is_here(path.stem.split("_")[1] if inside else "")


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave out the files that another environment runs."""
    is_test = collection_path.suffix == ".py" and collection_path.name.startswith("test_")
    return True if is_test and not belongs_here(collection_path) else None


@pytest.hookimpl(tryfirst=True)
def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark a test that takes a server of Qulacs as one that needs Qulacs."""
    if "qulacs_server" in getattr(item, "fixturenames", ()):
        item.add_marker(pytest.mark.needs("qulacs"))


def deselect_absent(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the tests that need a simulator which has no package for this Python; pytest counts them at the end."""
    absent = [item for item in items if not all(map(_has_package, _needed(item)))]
    if absent:
        config.hook.pytest_deselected(items=absent)
        items[:] = [item for item in items if item not in set(absent)]


def _needed(item: pytest.Item) -> list[str]:
    return [name for marker in item.iter_markers("needs") for name in marker.args]


def _has_package(name: str) -> bool:
    return _fits(SIMULATORS[name])


def pytest_report_header() -> str:
    """Say which tests run in other environments, and which simulators are missing."""
    others = ", ".join(sorted(GROUPS - {GROUP}))
    absent = ", ".join(row.name for row in SIMULATORS.values() if row.group == GROUP and not _fits(row)) or "none"
    return (
        f"simulators of the group {GROUP}; scripts/test runs the tests of {others} in their environments; "
        f"without a package for this Python: {absent}"
    )
