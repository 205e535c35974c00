"""Comparisons that are asked of a door, for tests of what is shown of them."""

from __future__ import annotations

import json
import time
from typing import Any

from support.raw import JSON
from support.serving import Served

from gateway.protocol.door import ComparisonState


def ask(served: Served, *circuits: str, token: str | None = None, **fields: Any) -> str:
    """Ask for a comparison of circuits, named ``circuit-0.qasm`` and so on, and return its id."""
    named = [{"name": f"circuit-{place}.qasm", "openqasm": text} for place, text in enumerate(circuits)]
    return ask_for(served, {"circuits": named, "shots": 10_000, "seed": 7, **fields}, token=token)


def ask_for(served: Served, message: dict[str, Any], *, token: str | None = None) -> str:
    """Ask for a comparison by the fields of its request, and return its id."""
    reply = served.request("POST", "/v1/comparisons", json.dumps(message).encode(), _headers(token))
    assert reply.status == 202, reply.body
    return str(reply.json["id"])


def ended(served: Served, comparison: str, *, token: str | None = None, within_s: float = 120.0) -> str:
    """Wait until a comparison has ended, and return its id."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if ComparisonState(info(served, comparison, token=token)["state"]).is_final:
            return comparison
    raise AssertionError(info(served, comparison, token=token))


def is_running(served: Served, comparison: str, *, results: int = 0, within_s: float = 120.0) -> None:
    """Wait until a comparison runs, and shows the results of so many simulators."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        found = info(served, comparison)
        if found["state"] == "running" and found.get("progress", {}).get("results", 0) >= results:
            return
    raise AssertionError(info(served, comparison))


def info(served: Served, comparison: str, *, token: str | None = None) -> dict[str, Any]:
    """Return what the door says of a comparison, which it does a moment later if nothing has changed."""
    reply = served.request("GET", f"/v1/comparisons/{comparison}?wait_s=0.5", headers=_headers(token))
    assert reply.status == 200, reply.body
    found: dict[str, Any] = reply.json
    return found


def result_of(served: Served, comparison: str) -> str:
    """Return the part of the page about a comparison."""
    return served.request("GET", f"/v1/comparisons/{comparison}/result").body.decode()


def _headers(token: str | None) -> dict[str, str]:
    return JSON if token is None else {**JSON, "Authorization": f"Bearer {token}"}
