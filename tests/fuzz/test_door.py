"""Schemathesis makes requests of the door's OpenAPI document, right and wrong ones: every answer is as documented."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from fuzz.test_api import cases, repeat
from schemathesis import Case
from schemathesis.checks import CHECKS, load_all_checks
from support.doors import door
from support.serving import Served, serving
from support.waiting import wait_until

from gateway.protocol.door import API
from gateway.protocol.openapi import document

OPERATIONS = [(method.upper(), path) for path, methods in document(API)["paths"].items() for method in methods]
COMPARISON = "/v1/comparisons/{comparison_id}"
_EXCLUDED = [
    "not_a_server_error",  # a simulator that is away is 502
    "positive_data_acceptance",  # a text that is no OpenQASM fits the schema, and is refused
    "negative_data_rejection",  # of a strange name of a simulator it is known first that there is none
]


@pytest.fixture(scope="module")
def opened() -> Iterator[Served]:
    """A door with two simulators behind it, of which one is away."""
    simulator = ("--adapter", "support.fakes:NumpyAdapter", "--limit", "timeout_s=5", "--limit", "max_poll_s=0.1")
    with (
        serving(*simulator) as numpy,
        door({"numpy": numpy, "away": "http://127.0.0.1:1"}, "--limit", "max_poll_s=0.1") as served,
    ):
        wait_until(lambda: b'"ready"' in served.request("GET", "/v1/simulators").body, "a simulator")
        yield served


@pytest.fixture(scope="module")
def schema(opened: Served) -> Any:
    """The served document."""
    load_all_checks()
    return schemathesis.openapi.from_url(f"http://127.0.0.1:{opened.port}/openapi.json")


def _assert_is_documented(case: Case, response: Any) -> None:
    assert response.status_code not in {500, 507}, response.text
    case.validate_response(response, excluded_checks=[CHECKS.get_one(name) for name in _EXCLUDED])


@pytest.mark.timeout(0)
@pytest.mark.parametrize(("method", "path"), OPERATIONS, ids=[" ".join(operation) for operation in OPERATIONS])
def test_every_answer_is_as_documented(schema: Any, seconds: float, method: str, path: str):
    seen: Counter[int] = Counter()

    def ask(case: Case) -> None:
        if (
            "name" in case.path_parameters and sum(seen.values()) % 4
        ):  # of most requests, only the rest is made at random
            case.path_parameters["name"] = "away" if sum(seen.values()) % 4 == 1 else "numpy"
        response = case.call()
        seen[response.status_code] += 1
        _assert_is_documented(case, response)

    repeat(cases(schema[path][method]), ask, seconds / len(OPERATIONS))
    print(f"\n{method} {path}: {sum(seen.values()):,} requests, {dict(sorted(seen.items()))}")


def test_a_comparison_that_exists_is_asked_for_as_documented(schema: Any):
    """What is made at random has no ids that exist."""
    text = "OPENQASM 3; qubit q; bit c; h q; c = measure q;"
    body = {"circuits": [{"name": "one", "openqasm": text}], "shots": 100}
    made = schema["/v1/comparisons"]["POST"].Case(body=body).call_and_validate().json()["id"]

    def asked(path: str, method: str = "GET", **parts: str) -> int:
        case = schema[path][method].Case(path_parameters={"comparison_id": made, **parts})
        status: int = case.call_and_validate(excluded_checks=[CHECKS.get_one("use_after_free")]).status_code
        return status

    wait_until(lambda: asked(f"{COMPARISON}/record") == 200, "the comparison to end")
    for path in (
        COMPARISON,
        *(f"{COMPARISON}/{part}" for part in ("request", "result", "report.html", "outcomes.csv")),
    ):
        assert asked(path) == 200
    for kind in ("svg", "png"):
        assert asked(f"{COMPARISON}/picture.{{format}}", format=kind) == 200
    assert asked(COMPARISON, "DELETE") == 200
