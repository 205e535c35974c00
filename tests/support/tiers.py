"""Marks the slow tests, which ``scripts/test --quick`` leaves out."""

from __future__ import annotations

from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
SLOW_ROOMS = {"docker", "faults", "fuzz", "security", "server", "soak"}
"""The folders whose tests all start processes."""

SERVERS = {"fake_server", "qulacs_server", "real_backend"}
"""The fixtures that start a server; a test that takes one of them is slow."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark a test as slow by its folder, or by the fixtures that it takes."""
    for item in items:
        if _is_slow(item):
            item.add_marker(pytest.mark.slow)


def _is_slow(item: pytest.Item) -> bool:
    room = item.path.relative_to(TESTS).parts[0] if item.path.is_relative_to(TESTS) else ""
    if room == "conformance":
        return item.config.getoption("--through") != "adapter"
    return room in SLOW_ROOMS or not SERVERS.isdisjoint(getattr(item, "fixturenames", ()))
