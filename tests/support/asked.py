"""Comparisons that are asked of a door, for tests of what is shown of them."""

from __future__ import annotations

import json
from typing import Any

from support.raw import JSON
from support.serving import Served
from support.waiting import DEADLINE_S, wait_until

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


def ended(served: Served, comparison: str, *, token: str | None = None) -> str:
    """Wait until a comparison has ended, and return its id."""

    def has_ended() -> bool:
        return ComparisonState(info(served, comparison, token=token)["state"]).is_final

    wait_until(has_ended, lambda: info(served, comparison, token=token), deadline_s=2 * DEADLINE_S)
    return comparison


def is_running(served: Served, comparison: str, *, results: int = 0) -> None:
    """Wait until a comparison runs, and shows the results of so many simulators."""

    def shows_them() -> bool:
        found = info(served, comparison)
        return found["state"] == "running" and found.get("progress", {}).get("results", 0) >= results

    wait_until(shows_them, lambda: info(served, comparison), deadline_s=2 * DEADLINE_S)


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
