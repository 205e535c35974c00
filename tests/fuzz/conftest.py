"""Gives the fuzzers their plugin, and the process in which they try inputs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.subject import Subject


def pytest_pycollect_makemodule(parent: pytest.Collector) -> None:
    """Load Schemathesis' plugin, which takes seconds, for the modules here alone."""
    parent.config.pluginmanager.import_plugin("schemathesis.pytest.plugin")


@pytest.fixture
def seconds(request: pytest.FixtureRequest) -> float:
    """Return the seconds that a fuzzer runs."""
    return float(request.config.getoption("--seconds"))


@pytest.fixture(scope="module")
def subject() -> Iterator[Subject]:
    """Yield the process in which a fuzzer tries inputs."""
    process = Subject()
    yield process
    process.close()
