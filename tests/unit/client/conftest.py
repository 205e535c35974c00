"""A gateway that answers from a script."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests
from support.scripted_gateway import Script

from gateway.client import watching
from gateway.client.gateway_client import GatewayClient


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def gateway(script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GatewayClient:
    for name in ("GATEWAY_URL", "GATEWAY_TOKEN", "GATEWAY_CA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr(watching, "_PAUSE_S", 0.0)
    session = requests.Session()
    session.mount("http://", script)
    return GatewayClient("http://lab:8080", session=session)
