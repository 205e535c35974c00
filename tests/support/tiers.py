"""Which tests are slow: ``scripts/test --quick`` leaves them out."""

from __future__ import annotations

from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
SLOW_ROOMS = {"docker", "faults", "fuzz", "security", "server", "soak"}
"""Everything there talks to processes of its own."""

SERVERS = {"fake_server", "qulacs_server", "real_backend"}
"""Fixtures that start one; whoever takes one of them is slow."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is slow: by its room, or by what it is given."""
    for item in items:
        if _is_slow(item):
            item.add_marker(pytest.mark.slow)


def _is_slow(item: pytest.Item) -> bool:
    room = item.path.relative_to(TESTS).parts[0] if item.path.is_relative_to(TESTS) else ""
    if room == "conformance":
        return item.config.getoption("--through") != "adapter"
    return room in SLOW_ROOMS or not SERVERS.isdisjoint(getattr(item, "fixturenames", ()))
