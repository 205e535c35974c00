"""The service executes runs, reports them to telemetry, bounds the requests that wait, and closes its parts."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator

import pytest
from flask import Blueprint
from support.fake import Does, FakeAdapter, fake
from support.raw import run_body

from gateway.circuit import Circuit, parameter
from gateway.errors import BusyError, JobStoreError
from gateway.execution.content import whole
from gateway.execution.pool import InlineExecutor
from gateway.execution.runner import Answer, Runner
from gateway.jobs.manager import Caller
from gateway.jobs.store import JobStore
from gateway.protocol.messages import RunRequest, RunResponse, ServerLimits, decode, encode
from gateway.server.access.authentication import Authentication
from gateway.server.access.tokens import Tokens, parse_tokens
from gateway.server.http.app import create_app
from gateway.server.service import Service

ADA = Caller("ada", "ada", "token of ada")


class Executor(InlineExecutor):
    """Runs the fake here, and keeps what it was given."""

    def __init__(self) -> None:
        super().__init__(Runner(FakeAdapter(), ServerLimits()))
        self.given: list[tuple[str | None, float, str]] = []
        self.closed = 0

    def run(self, body: bytes, token: str | None, timeout_s: float, *, caller: str = "", **named: object) -> Answer:
        self.given.append((token, timeout_s, caller))
        if timeout_s == 0:
            raise BusyError("no worker is free", retry_after_s=1.0)
        return super().run(body, token, timeout_s, caller=caller, **named)

    def close(self) -> None:
        self.closed += 1


class Interface:
    """Stands for the interface of older clients."""

    announcements = ()

    def __init__(self, *, fails: bool = False) -> None:
        self.fails = fails
        self.calls: list[str] = []

    def blueprint(self, service: Service) -> Blueprint:
        routes = Blueprint("older", __name__)
        routes.get("/older")(lambda: "for everybody")
        return routes

    def start(self, service: Service) -> None:
        self.calls.append("start")

    def close(self) -> None:
        self.calls.append("close")
        if self.fails:
            raise OSError("the socket is gone")


@pytest.fixture
def executor() -> Executor:
    return Executor()


@pytest.fixture
def service(executor: Executor) -> Iterator[Service]:
    service = Service.over(executor)
    yield service
    service.close()


def test_a_run_is_executed_for_its_caller_and_counted_as_one_that_went_well(service: Service, executor: Executor):
    assert service.run(run_body(), ADA, 7).status == 200
    assert executor.given == [("token of ada", 7, "ada")]
    assert service.telemetry.runs == {("run", "ok"): 1}
    assert sum(service.telemetry.stages["run"].buckets) == 1


def test_a_run_that_is_answered_with_a_problem_is_counted_under_its_code(service: Service):
    assert service.run(run_body(fake(Does.RAISE)), ADA, 7).status == 500
    assert service.telemetry.runs == {("run", "simulator-error"): 1}


def test_a_run_without_an_answer_is_counted_too_and_its_error_goes_on(service: Service):
    with pytest.raises(BusyError, match="no worker is free"):
        service.run(run_body(), ADA, 0)
    assert service.telemetry.runs == {("run", "busy"): 1}


def test_a_run_is_logged_with_its_caller_and_trace_and_without_its_circuit(
    service: Service, caplog: pytest.LogCaptureFixture
):
    with caplog.at_level(logging.INFO, "gateway.runs"):
        service.run(run_body(), ADA, 7, "00-trace")
    (line,) = caplog.messages
    assert '"caller":"ada"' in line
    assert '"trace":"00-trace"' in line
    assert "token of ada" not in line
    assert "num_qubits" not in line


def test_as_many_may_wait_as_the_limit_says_and_a_place_is_given_back(executor: Executor):
    service = Service.over(executor, ServerLimits(max_polls=1))
    with service.waiting_place("ada") as first, service.waiting_place("ada") as second:
        assert (first, second) == (True, False)
    with service.waiting_place("ada") as third:
        assert third
    service.close()


def test_only_where_there_is_an_idle_limit_is_anything_counted_as_busy(executor: Executor):
    unlimited = Service.over(executor)
    with unlimited.busy():
        assert unlimited.idle_limit is None
    unlimited.close()
    limited = Service.over(executor, idle_s=600)
    with limited.busy():
        assert limited.idle_limit._under_way == 1
    assert limited.idle_limit._under_way == 0
    limited.close()


def test_an_interface_is_asked_for_routes_that_look_after_tokens_themselves(executor: Executor):
    tokens = Tokens(parse_tokens([f"ada sha256:{hashlib.sha256(b'token of ada').hexdigest()}"], "here"))
    service = Service.over(executor, authentication=Authentication(tokens), interfaces=(Interface(),))
    client = create_app(service).test_client()
    assert client.get("/older").text == "for everybody"
    assert client.get("/v1/backend").status_code == 401
    service.close()


def test_interfaces_are_started_and_everything_is_closed_though_one_fails(executor: Executor):
    well, badly = Interface(), Interface(fails=True)
    store = JobStore()
    service = Service.over(executor, store=store, interfaces=(badly, well))
    service.start()
    with pytest.raises(OSError, match="the socket is gone"):
        service.close()
    assert (well.calls, badly.calls) == (["start", "close"], ["start", "close"])
    assert executor.closed == 1
    with pytest.raises(JobStoreError, match="the job database sqlite:// is closed"):
        store.find("any", "")


def test_a_server_that_stops_accepts_no_job_any_more(service: Service):
    service.stop_taking()
    reply = create_app(service).test_client().post("/v1/jobs", data=run_body(), content_type="application/json")
    assert (reply.status_code, reply.get_json()["code"]) == (503, "busy")


def test_the_points_of_a_sweep_are_divided_among_the_idle_workers_and_other_requests_are_not():
    executor = Executor()
    executor.idle = 2
    service = Service.over(executor)
    circuit = Circuit(1, 8).u(float(Does.ECHO), parameter("n"), 0, 0).measure(0, 0)
    sweep = RunRequest(circuits=circuit, shots=3, parameters={"n": [float(k) for k in range(40)]})
    answer = service.run(encode(sweep), ADA, 7, message=sweep)
    assert len(executor.given) == 2
    assert [result.counts for result in decode(RunResponse, whole(answer.body)).results] == [
        {format(k, "08b"): 3} for k in range(40)
    ]
    single = RunRequest(circuits=fake())
    assert service.run(encode(single), ADA, 7, message=single).status == 200
    assert len(executor.given) == 3
    service.close()
