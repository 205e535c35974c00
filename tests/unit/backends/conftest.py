"""Tests know neither the variables nor the file of the person who runs them."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.backends.access import CA_VARIABLE, TOKEN_VARIABLE, URL_VARIABLE


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the path of the file of gateways, which is not there."""
    for name in (CA_VARIABLE, TOKEN_VARIABLE, URL_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    folder = tmp_path / "config" / "simulator-gateway"
    folder.mkdir(parents=True)
    return folder / "config.toml"
