"""Marks the slow tests, which ``scripts/test --quick`` leaves out."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest
from support.groups import deselect_absent

from gateway.backends.process import ServerProcess

TESTS = Path(__file__).parents[1]
SLOW_ROOMS = {"docker", "faults", "fuzz", "page", "security", "server", "siege", "soak"}
"""The folders whose tests all start processes."""

SERVERS = {"fake_server", "qulacs_server", "real_backend"}
"""The fixtures that start a server; a test that takes one of them is slow."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark a test as slow by its folder, or by the fixtures that it takes; leave out what this Python lacks."""
    deselect_absent(config, items)
    for item in items:
        if _is_slow(item):
            item.add_marker(pytest.mark.slow)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Fail a test that starts a server, in a fixture or itself, and is not marked as slow."""
    with pytest.MonkeyPatch.context() as patch:
        if item.get_closest_marker("slow") is None:
            patch.setattr(ServerProcess, "_spawn", _refuse_to_spawn)
        return (yield)


def _refuse_to_spawn(_process: ServerProcess) -> None:
    pytest.fail("this test starts a server: mark it with pytest.mark.slow, so that scripts/test --quick leaves it out")


def _is_slow(item: pytest.Item) -> bool:
    room = item.path.relative_to(TESTS).parts[0] if item.path.is_relative_to(TESTS) else ""
    if room == "conformance":
        return item.config.getoption("--through") != "adapter"
    return room in SLOW_ROOMS or not SERVERS.isdisjoint(getattr(item, "fixturenames", ()))
