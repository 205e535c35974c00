"""Results in JSON and in MessagePack, from the worker through jobs and HTTP to the reader."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator

import msgspec
import numpy as np
import pytest
import requests
from flask.testing import FlaskClient
from requests.adapters import BaseAdapter
from support.fakes import NumpyAdapter

from gateway.backends.client import BackendClient
from gateway.circuit import Circuit
from gateway.counts import Counts, Probabilities, Statevector
from gateway.errors import CircuitInvalidError, GatewayError
from gateway.execution.content import IN_MEMORY_BYTES, PIECE_BYTES
from gateway.execution.pool import InlineExecutor
from gateway.execution.runner import Runner
from gateway.jobs.store import JobStore
from gateway.protocol.encodings import ACCEPT_BOTH, Encoding
from gateway.protocol.messages import (
    BackendInfo,
    JobList,
    ReceivedJob,
    RunRequest,
    RunResponse,
    ServerLimits,
    decode,
    encode,
)
from gateway.protocol.result_message import result_of
from gateway.results import JobState, Result, ResultType
from gateway.server.http.app import create_app
from gateway.server.service import Service

JSON, MSGPACK = Encoding.JSON, Encoding.MSGPACK
BELL = Circuit(2).h(0).cx(0, 1).measure_all()
STATE = Circuit(2).h(0).cx(0, 1).s(1)
LARGE = 17
"""Qubits of a state vector that the server keeps in a file."""


@pytest.fixture(params=["memory", "file"])
def app(request: pytest.FixtureRequest, tmp_path) -> Iterator[FlaskClient]:
    store = JobStore("sqlite://" if request.param == "memory" else f"sqlite:///{tmp_path}/jobs")
    service = Service.over(InlineExecutor(Runner(NumpyAdapter(), ServerLimits())), store=store)
    yield create_app(service).test_client()
    service.close()


def body_of(circuits: object, **fields: object) -> bytes:
    return encode(RunRequest(circuits=circuits, **fields))


def posted(app: FlaskClient, path: str, body: bytes, accept: str | None = None):
    headers = {} if accept is None else {"Accept": accept}
    return app.post(path, data=body, content_type="application/json", headers=headers)


def got(app: FlaskClient, path: str, accept: str | None = None):
    return app.get(path, headers={} if accept is None else {"Accept": accept})


def submitted(app: FlaskClient, body: bytes, accept: str | None = None) -> str:
    """Return the id of a job that has ended."""
    job: str = posted(app, "/v1/jobs", body, accept).headers["Location"].rpartition("/")[2]
    assert decode(ReceivedJob, got(app, f"/v1/jobs/{job}?wait_s=60&results=false").data).state.ended
    return job


def results_in(reply) -> list[Result | None]:
    encoding = Encoding.of_media_type(reply.content_type)
    kind = ReceivedJob if b"progress" in reply.data[:300] else RunResponse
    return [result and result_of(result) for result in decode(kind, reply.data, encoding).results]


def layered(num_qubits: int) -> Circuit:
    circuit = Circuit(num_qubits)
    for qubit in range(num_qubits):
        circuit.ry(0.3 + qubit / 7, qubit).rz(qubit / 3, qubit)
    return circuit


REQUESTS = {
    "counts": body_of(BELL, shots=100, seed=1),
    "probabilities": body_of(BELL, shots=None),
    "statevector": body_of(STATE, result=ResultType.STATEVECTOR),
    "a list": body_of([BELL, layered(3).measure_all()], shots=None),
    "large probabilities": body_of(layered(LARGE).measure_all(), shots=None),
    "a large state vector": body_of(Circuit(LARGE).h(0).ry(0.3, 9).rz(0.7, 16), result=ResultType.STATEVECTOR),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_a_run_has_the_same_results_in_both_encodings(app: FlaskClient, name: str):
    plain, other = (posted(app, "/v1/run", REQUESTS[name], accept) for accept in (None, ACCEPT_BOTH))
    assert (plain.status_code, plain.content_type) == (200, "application/json")
    assert (other.status_code, other.content_type) == (200, "application/msgpack")
    assert results_in(plain) == results_in(other)
    assert name != "large probabilities" or len(other.data) < len(plain.data) / 2


@pytest.mark.parametrize("accept", [None, "*/*", "text/html", "application/json", "image/png, application/msgpack;q=0"])
def test_who_does_not_ask_for_messagepack_is_answered_in_json_to_the_letter(app: FlaskClient, accept):
    reply = posted(app, "/v1/run", REQUESTS["statevector"], accept)
    assert reply.content_type == "application/json"
    assert encode(decode(RunResponse, reply.data)) == reply.data
    pairs = json.loads(reply.data)["results"][0]["statevector"]
    assert np.array(pairs) == pytest.approx(np.array([[0.5**0.5, 0], [0, 0], [0, 0], [0, 0.5**0.5]]))


@pytest.mark.parametrize("read_as", [JSON, MSGPACK])
@pytest.mark.parametrize("sent_as", [JSON, MSGPACK])
@pytest.mark.parametrize("name", REQUESTS)
def test_a_job_has_the_same_results_whoever_sent_it_and_whoever_reads_it(app: FlaskClient, name, sent_as, read_as):
    expected = results_in(posted(app, "/v1/run", REQUESTS[name]))
    job = submitted(app, REQUESTS[name], sent_as.media_type)
    whole = got(app, f"/v1/jobs/{job}", read_as.media_type)
    alone = got(app, f"/v1/jobs/{job}/results/0", read_as.media_type)
    several = got(app, f"/v1/jobs/{job}/results/0?count=10", read_as.media_type)
    has_arrays = name != "counts"
    kept_as = MSGPACK if sent_as is read_as is MSGPACK and has_arrays else JSON
    assert {reply.content_type for reply in (whole, alone, several)} == {kept_as.media_type}
    assert {reply.content_length for reply in (whole,)} == {len(whole.data)}
    assert results_in(whole) == results_in(several) == expected
    assert results_in(alone) == expected[:1]
    if kept_as is JSON:
        assert encode(decode(RunResponse, alone.data)) == alone.data


@pytest.mark.parametrize("read_as", [JSON, MSGPACK])
def test_a_job_with_failures_has_them_in_both_encodings(app: FlaskClient, read_as: Encoding):
    body = body_of([BELL, Circuit(1), BELL], shots=None)  # the second measures nothing
    job = submitted(app, body, MSGPACK.media_type)
    reply = got(app, f"/v1/jobs/{job}", read_as.media_type)
    assert reply.content_type == read_as.media_type
    info = decode(ReceivedJob, reply.data, read_as)
    assert [result is not None for result in info.results] == [True, False, True]
    (problem,) = [json.loads(bytes(error)) for error in info.errors]
    assert (problem["code"], problem["circuit"]) == ("circuit-invalid", 1)
    failed = got(app, f"/v1/jobs/{job}/results/1?count=2", read_as.media_type)
    assert (failed.status_code, failed.content_type) == (400, "application/problem+json")
    assert failed.get_json(force=True)["circuit"] == 1
    assert len(results_in(got(app, f"/v1/jobs/{job}/results/0?count=3", read_as.media_type))) == 1


def test_messages_without_results_are_in_the_encoding_that_is_asked_for(app: FlaskClient):
    for kind, path in ((BackendInfo, "/v1/backend"), (JobList, "/v1/jobs")):
        plain, other = got(app, path), got(app, path, ACCEPT_BOTH)
        assert other.content_type == MSGPACK.media_type
        assert decode(kind, other.data, MSGPACK) == decode(kind, plain.data)
    accepted = posted(app, "/v1/jobs", REQUESTS["counts"], ACCEPT_BOTH)
    assert (accepted.status_code, accepted.content_type) == (202, MSGPACK.media_type)
    assert not decode(ReceivedJob, accepted.data, MSGPACK).is_list


def test_problems_are_json_for_everybody(app: FlaskClient):
    for reply in (posted(app, "/v1/run", body_of(Circuit(1)), ACCEPT_BOTH), got(app, "/v1/jobs/x", ACCEPT_BOTH)):
        assert reply.content_type == "application/problem+json"
        assert json.loads(reply.data)["status"] == reply.status_code


def test_several_results_come_together_as_far_as_they_are_small_and_there(app: FlaskClient):
    many = submitted(app, body_of([BELL] * 7, shots=1))
    assert len(results_in(got(app, f"/v1/jobs/{many}/results/2?count=3"))) == 3
    assert len(results_in(got(app, f"/v1/jobs/{many}/results/5?count=1000"))) == 2
    for count in ("0", "-1", "x", "1.5"):
        assert got(app, f"/v1/jobs/{many}/results/0?count={count}").status_code == 400
    large = submitted(app, body_of([layered(15)] * 3, result=ResultType.STATEVECTOR), ACCEPT_BOTH)
    assert PIECE_BYTES < 16 << 15
    assert len(results_in(got(app, f"/v1/jobs/{large}/results/0?count=3", ACCEPT_BOTH))) == 1


def test_a_large_answer_is_one_that_is_kept_in_a_file():
    assert 16 << LARGE > IN_MEMORY_BYTES


# ---------------------------------------------------------------------------- our own client


class ThroughApp(BaseAdapter):
    """Carries requests to an application in this process."""

    def __init__(self, app: FlaskClient, *, only_json: bool = False) -> None:
        super().__init__()
        self.app = app
        self.only_json = only_json
        self.content_types: list[str] = []
        self.paths: list[str] = []

    def send(self, request, **_options):
        headers = {name: value for name, value in request.headers.items() if not (self.only_json and name == "Accept")}
        if self.only_json and "count=" in request.path_url:
            headers["Accept"] = "x/y"
            answer = self.app.get("/v1/backend?count=1")  # a server that does not know the parameter
        else:
            answer = self.app.open(request.path_url, method=request.method, data=request.body or b"", headers=headers)
        self.content_types.append(answer.content_type)
        self.paths.append(request.path_url)
        response = requests.Response()
        response.status_code, response.url = answer.status_code, request.url
        response.raw, response.headers = io.BytesIO(answer.data), answer.headers
        return response

    def close(self):
        pass


def client_of(transport: BaseAdapter) -> BackendClient:
    session = requests.Session()
    session.mount("http://", transport)
    return BackendClient(session=session)


@pytest.mark.parametrize("only_json", [False, True])
def test_our_client_reads_bytes_where_the_server_has_them_and_json_from_older_servers(app: FlaskClient, *, only_json):
    transport = ThroughApp(app, only_json=only_json)
    client = client_of(transport)
    assert client.run(BELL, shots=50, seed=1) == client.run_async(BELL, shots=50, seed=1).result(60)
    state = client.run(STATE, result="statevector")
    assert isinstance(state, Statevector)
    assert client.run_async(STATE, result="statevector").result(60) == state
    exact = client.run([BELL, layered(3).measure_all()], shots=None)
    assert [type(each) for each in exact] == [Probabilities] * 2
    job = client.run_async([BELL, layered(3).measure_all()], shots=None)
    assert list(job.results(60)) == exact == job.result(60)
    kinds = set(transport.content_types)
    assert (MSGPACK.media_type in kinds) is not only_json


def test_results_of_a_job_come_in_order_and_an_error_comes_in_its_place(app: FlaskClient):
    client = client_of(ThroughApp(app))
    job = client.run_async([BELL, BELL, Circuit(1), BELL], shots=10)
    found = job.results(60)
    assert [next(found).shots, next(found).shots] == [10, 10]
    with pytest.raises(CircuitInvalidError, match="measures nothing") as caught:
        next(found)
    assert caught.value.circuit == 2
    assert [isinstance(each, GatewayError) for each in job.outcomes(60)] == [False, False, True, False]
    assert job.status() is JobState.FAILED


def test_many_small_results_of_a_job_take_few_requests(app: FlaskClient):
    transport = ThroughApp(app)
    job = client_of(transport).run_async([BELL] * 300, shots=1)
    assert sum(counts.shots for counts in job.results(120)) == 300
    assert [type(each) for each in job.results(120)] == [Counts] * 300
    transport.paths.clear()
    assert len(list(job.results(60))) == 300
    assert len(transport.paths) < 10


def test_a_server_that_sends_a_result_that_is_none_is_no_gateway(app: FlaskClient):
    class Wrong(ThroughApp):
        def send(self, request, **options):
            response = super().send(request, **options)
            if request.path_url == "/v1/run":
                answer = msgspec.msgpack.decode(response.raw.read())
                answer["results"][0]["width"] = 20
                response.raw = io.BytesIO(msgspec.msgpack.encode(answer))
            return response

    with pytest.raises(GatewayError, match="sent a result that is none: bitstrings of 1 bytes for 20 clbits"):
        client_of(Wrong(app)).run(BELL, shots=None)
