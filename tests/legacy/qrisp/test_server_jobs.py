"""The REST of qrisp 0.4 to 0.8.2: deployments and jobs, with the statuses and fields its clients look at."""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from support.fake import FakeAdapter
from support.fakes import NumpyAdapter
from support.raw import run_body
from support.waiting import wait_until
from werkzeug.test import TestResponse

from gateway.execution.pool import InlineExecutor
from gateway.execution.runner import Runner
from gateway.jobs.store import JobStore
from gateway.legacy.qrisp import deployments, whole_answers
from gateway.legacy.qrisp import jobs as qrisp_jobs
from gateway.legacy.qrisp import store as qrisp_store
from gateway.legacy.qrisp.room import QrispInterface
from gateway.protocol.messages import ServerLimits
from gateway.rights import USUAL_RIGHTS, Right
from gateway.server.access.authentication import Authentication
from gateway.server.access.tokens import TokenDigest, Tokens
from gateway.server.http.app import create_app
from gateway.server.service import Service

GOLDEN = Path(__file__).parents[2] / "golden" / "jobs"
LIMITS = ServerLimits(max_shots=10_000, max_body_bytes=2**20)
BELL = """OPENQASM 2.0;
include "qelib1.inc";
gate pt2cx_140 a, b { cx a, b; }
qreg qb_0[1];
qreg qb_1[1];
creg cb_0[1];
creg cb_1[1];
h qb_0[0];
pt2cx_140 qb_0[0], qb_1[0];
x qb_1[0];
measure qb_0[0] -> cb_0[0];
measure qb_1[0] -> cb_1[0];
"""
X_ON_THE_FIRST = BELL.replace("h qb_0", "x qb_0").replace("x qb_1[0];\n", "")
CONDITIONAL = """OPENQASM 3.0;
include "stdgates.inc";
qubit[1] q;
bit[1] a;
bit[1] b;
x q[0];
a[0] = measure q[0];
if (a[0]) { x q[0]; }
b[0] = measure q[0];
"""


@contextlib.contextmanager
def serving(
    runnable: Any = None, limits: ServerLimits = LIMITS, *, qunicorn: bool = False, **options: Any
) -> Iterator[FlaskClient]:
    """Serve from this process."""
    executor = InlineExecutor(Runner(runnable or NumpyAdapter(), limits))
    service = Service.over(executor, limits, interfaces=(QrispInterface(qunicorn=qunicorn),), **options)
    try:
        yield create_app(service).test_client()
    finally:
        service.close()


@pytest.fixture
def app() -> Iterator[FlaskClient]:
    with serving() as client:
        yield client


def deployment(*texts: str, **fields: Any) -> dict[str, Any]:
    """Return what a client sends."""
    programs = [
        {"quantumCircuit": text, "assemblerLanguage": "QASM2", "pythonFilePath": "", "pythonFileMetadata": ""}
        for text in texts
    ]
    return {"programs": programs, "name": "", **fields}


def order(number: Any, shots: Any = 100, **fields: Any) -> dict[str, Any]:
    """Return what a client sends."""
    return {
        "name": "", "providerName": "", "deviceName": "", "shots": shots, "token": "", "type": "RUNNER",
        "deploymentId": number, **fields,
    }  # fmt: skip


def submit(client: FlaskClient, *texts: str, shots: Any = 100, **fields: Any) -> TestResponse:
    number = client.post("/deployments", json=deployment(*texts)).get_json()["id"]
    return client.post("/jobs", json=order(number, shots, **fields))


def ended(client: FlaskClient, *texts: str, path: str = "/jobs/{}", **options: Any) -> TestResponse:
    """Return the answer about a job, once there is nothing more to wait for."""
    number = submit(client, *texts, **options).get_json()["id"]

    def final_answer() -> TestResponse | None:
        answer = client.get(path.format(number), json=order(1, **options))
        unended = answer.get_json(force=True).get("state") in {"running", "READY", "RUNNING"}
        return None if unended else answer

    return wait_until(final_answer, "the end of the job")


def test_a_deployment_is_answered_201_with_an_id_and_its_programs(app: FlaskClient):
    reply = app.post("/deployments", json=deployment(BELL))
    found = reply.get_json()
    assert reply.status_code == 201
    assert found["deployedBy"] == {"id": 0, "name": ""}
    assert len(found["deployedAt"]) == len("2024-01-01")
    assert found["programs"] == deployment(BELL)["programs"]
    assert 0 <= found["id"] < 2**53


def test_an_order_is_answered_201_with_an_integer_id(app: FlaskClient):
    reply = submit(app, BELL)
    assert reply.status_code == 201
    assert reply.get_json() == {"id": reply.get_json()["id"], "jobName": "", "jobState": "running"}
    assert type(reply.get_json()["id"]) is int


@pytest.mark.parametrize("path", ["/jobs/{}", "/jobs/{}/"])
def test_a_job_is_answered_201_with_and_without_a_slash(app: FlaskClient, path):
    reply = ended(app, BELL, path=path, shots=1000)
    found = reply.get_json()
    assert (reply.status_code, found["state"]) == (201, "finished")
    counts = found["results"][0]["results"]
    assert set(counts) == {"01", "10"}
    assert sum(counts.values()) == 1000
    assert found["results"][0]["circuit"]["quantumCircuit"] == BELL


def test_the_clbit_that_was_declared_first_is_the_rightmost_and_there_are_no_spaces(app: FlaskClient):
    assert ended(app, X_ON_THE_FIRST).get_json()["results"][0]["results"] == {"11": 100}
    assert ended(app, BELL.replace("h qb_0", "id qb_0")).get_json()["results"][0]["results"] == {"10": 100}


def test_openqasm_3_may_be_called_2(app: FlaskClient):
    assert ended(app, CONDITIONAL).get_json()["results"][0]["results"] == {"01": 100}


def test_null_shots_give_exact_probabilities(app: FlaskClient):
    values = ended(app, BELL, shots=None).get_json()["results"][0]["results"]
    assert values == {"01": pytest.approx(0.5), "10": pytest.approx(0.5)}


def test_every_program_of_a_deployment_is_run(app: FlaskClient):
    results = ended(app, X_ON_THE_FIRST, CONDITIONAL).get_json()["results"]
    assert [(result["id"], result["results"]) for result in results] == [(0, {"11": 100}), (1, {"01": 100})]


def test_a_job_under_way_is_running_and_a_cancelled_one_has_failed(monkeypatch):
    monkeypatch.setattr(qrisp_jobs, "WAIT_S", 0.05)
    sleeps = "OPENQASM 2.0; qreg q[1]; creg c[1]; u3(1, 10, 0) q[0]; measure q -> c;"
    with serving(FakeAdapter()) as client:
        path = f"/jobs/{submit(client, sleeps).get_json()['id']}"
        reply = client.get(path)
        found = reply.get_json()
        assert (reply.status_code, found["state"], found["finishedAt"]) == (201, "running", "-")
        assert found["results"] == []
        (job,) = client.get("/v1/jobs").get_json()["jobs"]
        client.delete(f"/v1/jobs/{job['id']}")
        reply = client.get(path)
    assert reply.status_code == 200
    assert reply.get_json() == {"code": 0, "status": "cancelled", "message": "the job was cancelled", "errors": {}}


# ---------------------------------------------------------------------------- what goes wrong


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("hello", "is not ended by"),
        ("", "the circuit's text is empty"),
        (BELL.replace("h qb_0", "foo qb_0"), "foo"),
        ("OPENQASM 2.0; qreg q[1]; creg c[1];", "measures nothing"),
        ("OPENQASM 2.0; qreg q[9999]; creg c[1]; measure q[0] -> c[0];", "at most 4,096"),
    ],
)
def test_a_job_that_fails_is_answered_200_with_a_message_that_the_client_raises(app: FlaskClient, text, words):
    reply = ended(app, text)
    found = reply.get_json()
    assert (reply.status_code, found["code"], found["status"], found["errors"]) == (200, 0, "failed", {})
    assert words in found["message"]


def test_a_simulator_that_raises_is_told_likewise():
    with serving(FakeAdapter()) as client:
        reply = ended(client, "OPENQASM 2.0; qreg q[1]; creg c[1]; u3(3, 0, 0) q[0]; measure q -> c;")
    assert (reply.status_code, reply.get_json()["status"]) == (200, "failed")
    assert "told to raise" in reply.get_json()["message"]


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        ({}, 400, "request-invalid"),
        ({"programs": []}, 400, "request-invalid"),
        ({"programs": [{}]}, 400, "request-invalid"),
        ({"programs": [{"quantumCircuit": 1}]}, 400, "request-invalid"),
        ({"programs": [{"quantumCircuit": "", "assemblerLanguage": "QISKIT"}]}, 422, "unsupported"),
        ({"programs": [{"quantumCircuit": " " * 2**20}]}, 413, "limit-exceeded"),
    ],
)
def test_a_deployment_that_is_refused_says_why(app: FlaskClient, sent, status, code):
    reply = app.post("/deployments", json=sent)
    assert (reply.status_code, reply.get_json(force=True)["code"]) == (status, code)
    assert reply.get_json(force=True)["message"]


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"shots": 0}, 400),
        ({"shots": -1}, 400),
        ({"shots": 1.5}, 400),
        ({"shots": "7"}, 400),
        ({"shots": 10_001}, 413),
        ({"type": "SAMPLER"}, 422),
        ({"deploymentId": 1}, 400),
        ({"deploymentId": 2**63}, 400),
        ({"deploymentId": "1"}, 400),
        ({"deploymentId": None}, 400),
    ],
)
def test_an_order_that_is_refused_has_an_id_all_the_same_which_tells_why(app: FlaskClient, fields, status):
    number = app.post("/deployments", json=deployment(BELL)).get_json()["id"]
    refused = app.post("/jobs", json=order(number) | fields)
    assert refused.status_code == status
    asked = app.get(f"/jobs/{refused.get_json(force=True)['id']}", json=order(number))
    assert asked.status_code == status  # not 201: the client raises the message
    assert asked.get_json(force=True)["message"] == refused.get_json(force=True)["message"] != ""


def test_results_too_large_for_these_clients_are_refused_with_the_reason(app: FlaskClient, monkeypatch):
    monkeypatch.setattr(whole_answers, "MOST_BYTES", 100)
    answer = ended(app, BELL)
    assert (answer.status_code, answer.get_json()["code"]) == (413, "limit-exceeded")
    assert "clients of this interface are given 100 at most" in answer.get_json()["message"]


@pytest.mark.parametrize(("small_bytes", "takes_turns"), [(100, True), (100_000, False)])
def test_large_results_are_in_memory_one_after_the_other(app: FlaskClient, monkeypatch, small_bytes, takes_turns):
    seen = []

    def job(view: deployments.JobView) -> dict[str, Any]:
        if view.results:
            seen.append(whole_answers._turn.locked())
        return show(view)

    show = deployments.job
    monkeypatch.setattr(deployments, "job", job)
    monkeypatch.setattr(whole_answers, "_SMALL_BYTES", small_bytes)
    assert ended(app, BELL).status_code == 201
    assert seen == [takes_turns]
    assert not whole_answers._turn.locked()


def test_refusals_are_forgotten_in_time(monkeypatch):
    monkeypatch.setattr(qrisp_jobs, "_MAX_REFUSALS", 2)
    with serving() as client:
        numbers = [client.post("/jobs", json=order(1)).get_json(force=True)["id"] for _ in range(3)]
        assert [client.get(f"/jobs/{number}").status_code for number in numbers] == [404, 400, 400]


def test_what_is_no_longer_at_hand_is_found_in_the_store(monkeypatch):
    monkeypatch.setattr(qrisp_jobs, "_MAX_BYTES_IN_MEMORY", 0)
    with serving() as client:
        found = ended(client, X_ON_THE_FIRST).get_json()["results"][0]
    assert (found["results"], found["circuit"]["quantumCircuit"]) == ({"11": 100}, X_ON_THE_FIRST)


@pytest.mark.parametrize("number", ["0", "99", "-1", str(10**30), "abc", "1.5", "%00"])
def test_an_unknown_job_is_answered_404_with_error_and_message(app: FlaskClient, number):
    reply = app.get(f"/jobs/{number}")
    assert reply.status_code == 404
    assert reply.get_json(force=True)["message"] == reply.get_json(force=True)["error"] != ""


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/deployments", 405),
        ("POST", "/deployments/", 404),
        ("POST", "/jobs/", 404),
        ("GET", "/jobs", 405),
        ("DELETE", "/jobs/1", 405),
    ],
)
def test_other_methods_and_slashes_are_answered_as_ever(app: FlaskClient, method, path, status):
    reply = app.open(path, method=method, json={})
    assert reply.status_code == status
    assert reply.get_json(force=True)["message"]


# ---------------------------------------------------------------------------- tokens, and what lasts


def holders(*names: str, rights: frozenset[Right] = USUAL_RIGHTS) -> Authentication:
    digests = {name: hashlib.sha256(f"token of {name}".encode()).hexdigest() for name in names}
    return Authentication(Tokens([TokenDigest(name, digest, rights) for name, digest in digests.items()]))


def test_a_token_is_the_one_of_the_order_and_jobs_are_seen_by_their_owner_alone():
    with serving(authentication=holders("ann", "bob")) as client:
        number = submit(client, BELL, token="token of ann").get_json()["id"]  # noqa: S106
        path = f"/jobs/{number}"
        assert client.get(path, json={"token": "token of ann"}).status_code == 201
        assert client.get(path, headers={"Authorization": "Bearer token of ann"}).status_code == 201
        assert client.get(path, json={"token": "token of bob"}).status_code == 404
        for sent in ({"token": "wrong"}, {"token": ""}, {}, None):
            reply = client.get(path, json=sent) if sent is not None else client.get(path)
            assert reply.status_code == 401
            assert reply.get_json(force=True)["message"]


@pytest.mark.parametrize("token", ["", "wrong", None])
def test_an_order_without_the_token_is_refused_and_so_is_the_question_for_it(token):
    with serving(authentication=holders("ann")) as client:
        reply = submit(client, BELL, token=token)
        number = reply.get_json(force=True)["id"]
        assert reply.status_code == 401
        assert client.get(f"/jobs/{number}", json={"token": token}).status_code == 401


def test_a_wrong_token_in_the_header_is_refused_for_a_deployment_too():
    with serving(authentication=holders("ann")) as client:
        headers = {"Authorization": "Bearer wrong"}
        assert client.post("/deployments", json=deployment(BELL), headers=headers).status_code == 401


def test_a_token_without_the_right_to_run_deploys_and_orders_nothing():
    with serving(authentication=holders("ann", rights=frozenset({Right.COMPARE}))) as client:
        reply = submit(client, BELL, token="token of ann")  # noqa: S106
        assert (reply.status_code, reply.get_json(force=True)["error_code"]) == (403, "forbidden")
        headers = {"Authorization": "Bearer token of ann"}
        assert client.post("/deployments", json=deployment(BELL), headers=headers).status_code == 403


def test_deployments_and_jobs_outlive_the_server(tmp_path: Path):
    url = f"sqlite:///{tmp_path / 'jobs.sqlite'}"
    with serving(store=JobStore(url)) as client:
        deployed = client.post("/deployments", json=deployment(X_ON_THE_FIRST)).get_json()["id"]
        job = client.post("/jobs", json=order(deployed)).get_json()["id"]
        assert client.get(f"/jobs/{job}").status_code == 201
    with serving(store=JobStore(url)) as client:
        assert client.get(f"/jobs/{job}").get_json()["results"][0]["results"] == {"11": 100}
        assert client.post("/jobs", json=order(deployed)).status_code == 201


def test_a_job_that_was_sent_as_an_object_is_shown_as_one(app: FlaskClient):
    circuit = {"num_qubits": 1, "num_clbits": 1, "operations": [["measure", [0], [], [0]]]}
    app.post("/v1/jobs", json={"circuits": circuit}, headers={"Idempotency-Key": "qrisp-1"})
    (result,) = app.get("/jobs/1").get_json()["results"]
    assert result["results"] == {"0": 1024}
    assert json.loads(result["circuit"]["quantumCircuit"])["num_qubits"] == 1


def test_deployments_and_jobs_of_an_earlier_version_are_found_by_their_numbers(tmp_path: Path):
    """It kept deployments in the same table, and told clients the number of a job's row."""
    file = tmp_path / "jobs.sqlite"
    program = json.dumps(deployment(X_ON_THE_FIRST)).encode()
    with contextlib.closing(sqlite3.connect(file)) as database:
        database.executescript((GOLDEN / "schema_1.sqlite.sql").read_text(encoding="utf-8"))
        database.execute(
            "UPDATE jobs SET queue = '', owner = '', ended = ended + unixepoch()"
        )  # else they have expired
        database.execute("UPDATE circuits SET request = ? WHERE job = 5", [run_body(X_ON_THE_FIRST, shots=7)])
        database.execute("INSERT INTO deployments VALUES (2, '', unixepoch(), ?, ?)", [len(program), program])
        database.commit()
    with serving(store=JobStore(f"sqlite:///{file}")) as client:
        assert client.get("/jobs/3").get_json()["message"] == "the job was cancelled"
        assert client.get("/jobs/5").get_json()["results"][0]["results"] == {"11": 7}
        job = client.post("/jobs", json=order(2)).get_json()["id"]
        assert client.get(f"/jobs/{job}").get_json()["results"][0]["results"] == {"11": 100}


def test_only_the_newest_deployments_are_kept(app: FlaskClient, monkeypatch):
    monkeypatch.setattr(qrisp_jobs, "_MAX_BYTES_IN_MEMORY", 0)
    monkeypatch.setattr(qrisp_store, "MAX_DEPLOYMENTS", 2)
    numbers = [app.post("/deployments", json=deployment(BELL)).get_json()["id"] for _ in range(4)]
    assert [app.post("/jobs", json=order(number)).status_code for number in numbers] == [400, 400, 201, 201]


def test_only_so_many_bytes_of_deployments_are_kept(app: FlaskClient, monkeypatch):
    monkeypatch.setattr(qrisp_jobs, "_MAX_BYTES_IN_MEMORY", 0)
    monkeypatch.setattr(qrisp_store, "MAX_BYTES", 2 * len(BELL) + 500)
    numbers = [app.post("/deployments", json=deployment(BELL)).get_json()["id"] for _ in range(4)]
    statuses = [app.post("/jobs", json=order(number)).status_code for number in numbers]
    assert statuses[0] == 400
    assert statuses[-1] == 201


def test_when_too_many_wait_for_jobs_the_next_is_answered_at_once(monkeypatch):
    limits = ServerLimits(max_polls=0)
    with serving(limits=limits) as client:
        assert ended(client, BELL).status_code == 201


# ---------------------------------------------------------------------------- Qunicorn


@pytest.fixture
def qunicorn() -> Iterator[FlaskClient]:
    with serving(qunicorn=True) as client:
        yield client


def test_qunicorn_answers_200_upper_case_and_hexadecimal_where_the_path_ends_in_a_slash(qunicorn: FlaskClient):
    reply = ended(qunicorn, X_ON_THE_FIRST, path="/jobs/{}/")
    found = reply.get_json()
    assert (reply.status_code, found["state"]) == (200, "FINISHED")
    assert found["results"][0]["data"] == {"0x1 0x1": 100}
    assert found["results"][0]["metadata"]["registers"] == [{"name": "cb_1", "size": 1}, {"name": "cb_0", "size": 1}]


def test_qunicorn_takes_orders_at_paths_with_a_slash(qunicorn: FlaskClient):
    reply = qunicorn.post("/deployments/", json=deployment(BELL))
    assert reply.status_code == 201
    assert qunicorn.post("/jobs/", json=order(reply.get_json()["id"])).status_code == 201


def test_qunicorn_answers_200_for_a_job_that_failed(qunicorn: FlaskClient):
    reply = ended(qunicorn, "hello", path="/jobs/{}/")
    assert (reply.status_code, reply.get_json()["state"]) == (200, "ERROR")
    assert "hello" in reply.get_json()["results"][0]["data"]["exception_message"]


def test_a_released_client_is_served_beside_qunicorn(qunicorn: FlaskClient):
    reply = ended(qunicorn, BELL)
    assert (reply.status_code, reply.get_json()["state"]) == (201, "finished")
