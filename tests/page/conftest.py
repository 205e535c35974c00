"""A browser for all tests of the page, and windows that let nothing wrong pass."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from support import wrong
from support.browsing import Browsing, chromium
from support.doors import door, simulators
from support.raw import Server
from support.serving import Served, command, started

from gateway.simulators import find

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.page)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture
def browsing(browser: Browser) -> Iterator[Browsing]:
    """Opens windows; a fault on any of their pages fails the test at its end."""
    windows = Browsing(browser)
    yield windows
    windows.close()
    assert windows.unexpected() == []


@pytest.fixture(scope="session")
def right_simulators() -> Iterator[dict[str, Server]]:
    """Real simulators, one worker each."""
    with simulators("cirq", "mqt", "qulacs") as servers:
        yield servers


@pytest.fixture(scope="session")
def wrong_simulator() -> Iterator[Server]:
    """A simulator that turns every rz the other way."""
    with simulators("turned") as servers:
        yield servers["turned"]


@pytest.fixture(scope="session")
def opened(right_simulators: dict[str, Server]) -> Iterator[Served]:
    """A door before real simulators."""
    with door(right_simulators) as served:
        yield served


@pytest.fixture(scope="session")
def opened_with_fault(right_simulators: dict[str, Server], wrong_simulator: Server) -> Iterator[Served]:
    """A door before real simulators and a wrong one, ``turned``."""
    with door({**right_simulators, "turned": wrong_simulator}) as served:
        yield served


@pytest.fixture(scope="session")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, str]]:
    """A door that wants a token, before a simulator that wants the same; and the token."""
    token = "token-of-mira"  # noqa: S105 - of a server that lasts for a test
    file = tmp_path_factory.mktemp("tokens") / "tokens"
    file.write_text(f"mira sha256:{sha256(token.encode()).hexdigest()}\n", encoding="utf-8")
    file.chmod(0o600)
    known = ("--tokens", str(file), "--door-key", str(file.with_name("door.key")))
    with (
        started(command("--port", "0", *known, adapter=wrong.TARGET)) as turned,
        started(command("--port", "0", *known, adapter=find("qulacs").adapter)) as qulacs,
        door({"qulacs": qulacs, "turned": turned}, *known) as served,
    ):
        yield served, token
