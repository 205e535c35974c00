"""What the command prints does not depend on the terminal that the tests run in."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _no_gateway(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Hide the gateways of the person who runs the tests."""
    for name in ("GATEWAY_URL", "GATEWAY_TOKEN", "GATEWAY_CA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture(autouse=True)
def _ordinary_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
