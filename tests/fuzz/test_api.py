"""Schemathesis makes requests of the served OpenAPI document, right and wrong ones: every answer is as documented.

Each operation is asked for its share of the time: in this process by WSGI, and on a real server.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS, load_all_checks

from adapters.qulacs import QulacsAdapter
from gateway.backends.process import ServerProcess
from gateway.execution.pool import InlineExecutor
from gateway.execution.runner import Runner
from gateway.protocol.messages import ServerLimits
from gateway.protocol.openapi import document
from gateway.server.http.app import create_app
from gateway.server.service import Service
from gateway.simulators import find

LIMITS = ServerLimits(max_shots=10_000, max_circuits=10, max_body_bytes=2**20, timeout_s=20, max_poll_s=0.1)
OPERATIONS = [(method.upper(), path) for path, methods in document()["paths"].items() for method in methods]
_ROUND = 30


@pytest.fixture(scope="module", params=["in process", "server"])
def schema(request: pytest.FixtureRequest) -> Iterator[Any]:
    """The served document, with a job to ask for."""
    load_all_checks()
    if request.param == "in process":
        service = Service.over(InlineExecutor(Runner(QulacsAdapter(), LIMITS)), LIMITS)
        yield schemathesis.openapi.from_wsgi("/openapi.json", create_app(service))
        service.close()
        return
    process = ServerProcess(target=find("qulacs").adapter, workers=2, limits=LIMITS)
    process.start()
    yield schemathesis.openapi.from_url(f"http://127.0.0.1:{process.port}/openapi.json")
    process.stop()


def _assert_is_documented(case: Case, response: Any) -> None:
    """Nothing is the server's fault, but for a run that is given 5e-324 seconds; all else is in the document."""
    assert response.status_code < 500 or response.json()["code"] == "job-timeout", response.text
    excluded = ["not_a_server_error"]  # the line above
    excluded.append("positive_data_acceptance")  # a text that is no OpenQASM fits the schema, and is refused
    if response.status_code == 413:
        excluded.append("negative_data_rejection")  # it was: by a limit, which came first
    case.validate_response(response, excluded_checks=[CHECKS.get_one(name) for name in excluded])


def cases(operation: Any) -> st.SearchStrategy[Case]:
    """Return requests that fit the document and requests that do not."""
    modes = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
    return st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in modes))


@pytest.mark.timeout(0)
@pytest.mark.parametrize(("method", "path"), OPERATIONS, ids=[" ".join(operation) for operation in OPERATIONS])
def test_every_answer_is_as_documented(schema: Any, seconds: float, method: str, path: str):
    seen: Counter[int] = Counter()

    def ask(case: Case) -> None:
        response = case.call()
        seen[response.status_code] += 1
        _assert_is_documented(case, response)

    repeat(cases(schema[path][method]), ask, seconds / len(OPERATIONS))
    print(f"\n{method} {path}: {sum(seen.values()):,} requests, {dict(sorted(seen.items()))}")


def repeat(inputs: st.SearchStrategy[Case], act: Callable[[Case], None], seconds: float) -> None:
    """Act on inputs, in rounds of a fixed seed each, until the time is up; one round at least."""
    end, number = time.monotonic() + seconds, 0

    @settings(
        max_examples=_ROUND,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(inputs)
    def one_round(case: Case) -> None:
        act(case)

    while number == 0 or time.monotonic() < end:
        seed(number)(one_round)()
        number += 1


def test_jobs_that_exist_are_asked_for_as_documented(schema: Any):
    """What is made at random has no ids that exist."""
    submitted = schema["/v1/jobs"]["POST"].Case(body={"circuits": "OPENQASM 3; qubit q; bit c; c = measure q;"})
    job = submitted.call_and_validate().json()["id"]
    for method, path, query in (
        ("GET", "/v1/jobs/{job_id}", {"wait_s": 5}),
        ("POST", "/v1/jobs/{job_id}/rerun", {}),
        ("GET", "/v1/jobs/{job_id}", {}),
        ("DELETE", "/v1/jobs/{job_id}", {}),
    ):
        case = schema[path][method].Case(path_parameters={"job_id": job}, query=query)
        assert case.call_and_validate(excluded_checks=[CHECKS.get_one("use_after_free")]).status_code < 300
    for query in ({"before": job}, {"limit": 1}, {"state": "done"}):
        assert schema["/v1/jobs"]["GET"].Case(query=query).call_and_validate().status_code == 200


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A server to send requests to that were made of the document itself."""
    process = ServerProcess(target=find("qulacs").adapter, workers=2, limits=LIMITS)
    process.start()
    yield f"http://127.0.0.1:{process.port}"
    process.stop()


@schemathesis.openapi.from_dict(document()).parametrize()
@settings(max_examples=5, deadline=None, database=None, suppress_health_check=list(HealthCheck))
def test_values_at_the_edges_of_the_document_are_answered_as_documented(case: Case, address: str):
    """Schemathesis' coverage of every constraint: limits, other methods, other types, what is required left out."""
    load_all_checks()
    _assert_is_documented(case, case.call(base_url=address))
