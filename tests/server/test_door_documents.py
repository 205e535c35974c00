"""What the door tells of itself and of all simulators: its OpenAPI document, its documentation, its metrics."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.doors import door
from support.pasting import examples, outputs
from support.raw import Reply
from support.serving import Served, serving
from support.waiting import wait_until

from gateway.protocol.door import API
from gateway.protocol.openapi import document

TOKEN = "token-of-ann"  # noqa: S105 - of a test
SIMULATOR = ("--adapter", "support.fakes:NumpyAdapter")
NOWHERE = "http://127.0.0.1:1"


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("tokens") / "tokens"
    file.write_text(f"ann sha256:{hashlib.sha256(TOKEN.encode()).hexdigest()} run,compare,admin\n")
    file.chmod(0o600)
    return file


@pytest.fixture(scope="module")
def opened() -> Iterator[Served]:
    """A door that wants no token, before two simulators, of which one is down."""
    with serving(*SIMULATOR) as numpy, door({"numpy": numpy, "away": NOWHERE}) as served:
        _wait_until_known(served, {})
        yield served


@pytest.fixture(scope="module")
def guarded(tokens: Path) -> Iterator[Served]:
    """A door that wants a token, as its simulator does."""
    options = ("--tokens", str(tokens), "--door-key", str(tokens.with_name("key")))
    with serving(*SIMULATOR, *options) as numpy, door({"numpy": numpy}, *options) as served:
        _wait_until_known(served, bearer())
        yield served


def bearer() -> dict[str, str]:
    return {"Authorization": f"Bearer {TOKEN}"}


def get(server: Served, path: str, headers: dict[str, str] | None = None) -> Reply:
    return server.request("GET", path, None, headers or {})


def _wait_until_known(server: Served, headers: dict[str, str]) -> None:
    def states() -> list[str]:
        return [each["state"] for each in get(server, "/v1/simulators", headers).json["simulators"]]

    wait_until(lambda: "ready" in states() and "starting" not in states(), lambda: f"a simulator: {states()}")


@pytest.mark.parametrize("name", ["opened", "guarded"])
def test_the_document_of_the_door_is_for_everybody(request: pytest.FixtureRequest, name: str):
    reply = get(request.getfixturevalue(name), "/openapi.json")
    assert reply.json == json.loads(json.dumps(document(API)))


@pytest.mark.parametrize("name", ["opened", "guarded"])
def test_every_example_works_as_it_is_pasted(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, name: str
):
    server: Served = request.getfixturevalue(name)
    monkeypatch.setenv("GATEWAY_TOKEN", TOKEN if name == "guarded" else "")
    page = get(server, "/docs").body.decode()
    assert len(examples(page)) == 2 * len(API.documented) + 1
    for text, printed in outputs(page):
        assert printed.strip()
        for refusal in ("urn:simulator-gateway:problem", "'code'", '"code":"'):
            assert refusal not in printed, f"{text}\n{printed}"


def test_without_a_token_the_documentation_tells_no_version(guarded: Served):
    page = get(guarded, "/docs").body.decode()
    assert "This server wants a token" in page
    assert document(API)["info"]["version"] not in page


def test_metrics_are_those_of_all_simulators_and_of_the_door(opened: Served):
    text = get(opened, "/metrics").body.decode()
    assert 'gateway_simulator_up{simulator="numpy"} 1.0' in text
    assert 'gateway_simulator_up{simulator="away"} 0.0' in text
    assert 'gateway_ready{simulator="numpy"} 1.0' in text
    assert "gateway_door_event_streams 0.0" in text
    assert text.count("# TYPE gateway_requests_total ") == 1


def test_a_comparison_that_has_ended_is_counted(opened: Served):
    def ended() -> float:
        lines = get(opened, "/metrics").body.decode().splitlines()
        kind = 'gateway_door_ended_total{kind="comparison",outcome="finished"} '
        return float(next((line.removeprefix(kind) for line in lines if line.startswith(kind)), 0))

    before = ended()
    asked = {"circuits": [{"name": "x", "openqasm": "OPENQASM 3; qubit q; bit c; c = measure q;"}], "shots": 10}
    made = opened.request("POST", "/v1/comparisons", json.dumps(asked).encode())
    get(opened, f"/v1/comparisons/{made.json['id']}?wait_s=60")
    wait_until(lambda: ended() == before + 1, "the comparison to be counted")


def test_metrics_are_for_administrators(guarded: Served):
    assert get(guarded, "/metrics").status == 401
    assert 'gateway_simulator_up{simulator="numpy"} 1.0' in get(guarded, "/metrics", bearer()).body.decode()


def test_the_page_and_the_documentation_of_a_simulator_are_passed_through_and_can_do_nothing(opened: Served):
    for path in ("/v1/simulators/numpy/", "/v1/simulators/numpy/docs"):
        reply = get(opened, path)
        assert reply.status == 200
        assert reply.body.startswith(b"<!doctype html>")
        assert "sandbox" in reply.headers["Content-Security-Policy"]
