"""The servers that the frameworks' own classes and their circuits run on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.groups import is_here
from support.raw import Server

from gateway.backends.base import Backend
from gateway.backends.client import BackendClient
from gateway.backends.local import LocalSimulator

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE) and "simulator" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def simulator() -> Iterator[Backend]:
    """A real simulator behind its server."""
    name = "qulacs" if is_here("qulacs") else "qiskit"
    with LocalSimulator(name, workers=1) as found:
        yield found


@pytest.fixture(scope="session")
def real_backend(simulator: Backend) -> Backend:
    """The same, under the name that the tests shared with other environments know."""
    return simulator


@pytest.fixture(scope="session")
def failing(fake_server: Server) -> Iterator[Backend]:
    """A server whose simulator does what its circuits say, see support/fake.py."""
    with BackendClient("127.0.0.1", fake_server.port) as client:
        yield client
