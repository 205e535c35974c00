"""Deployments and jobs of old Qrisp clients, and of Qunicorn: what is read, and how results are shown."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from gateway.errors import RequestError, UnsupportedError
from gateway.legacy.qrisp.deployments import (
    Deployment,
    JobOrder,
    JobView,
    Program,
    job,
    qunicorn_job,
    registers_of,
    texts_of,
)
from gateway.protocol.messages import decode, encode
from gateway.protocol.result_message import ResultMessage, result_of
from gateway.results import JobState, Provenance

AT = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
PROVENANCE = Provenance(simulator="s", version="1", shots=10)
TEXT = "OPENQASM 2.0;\nqreg a[1];\ncreg low[1];\ncreg high[3];"


def view(state=JobState.DONE, *, text=TEXT, message=None, **values) -> JobView:
    results = [result_of(ResultMessage(provenance=PROVENANCE, width=4, **values))] if values else []
    ended = AT if state.ended else None
    return JobView(7, state, AT, ended, [text] if values else [], results, message)


def test_what_a_released_client_sends_is_read():
    sent = b"""{"programs": [{"quantumCircuit": "OPENQASM 2.0;", "assemblerLanguage": "QASM2", "pythonFilePath": "",
        "pythonFileMetadata": ""}], "name": ""}"""
    assert decode(Deployment, sent) == Deployment([Program("OPENQASM 2.0;")])
    sent = b"""{"name": "", "providerName": "", "deviceName": "", "shots": null, "token": "", "type": "RUNNER",
        "deploymentId": 3}"""
    assert decode(JobOrder, sent) == JobOrder(3, None, "")


def test_one_program_makes_no_list_and_two_make_one():
    one, two = Deployment([Program("a")]), Deployment([Program("a"), Program("b")])
    assert JobOrder(0, 5).request(one).circuits == "a"
    assert JobOrder(0, 5).request(two).circuits == ["a", "b"]
    assert JobOrder(0).request(one).shots is None


@pytest.mark.parametrize("fields", [{}, {"deploymentId": "1"}, {"deploymentId": -1}, {"deploymentId": 2**63}])
def test_an_order_names_a_deployment(fields):
    with pytest.raises(RequestError, match="deploymentId"):
        decode(JobOrder, json.dumps(fields).encode())


@pytest.mark.parametrize("shots", [0, -1, 1.5, True, "7"])
def test_shots_are_a_whole_number_above_zero_or_null(shots):
    with pytest.raises(RequestError, match="shots"):
        decode(JobOrder, json.dumps({"deploymentId": 1, "shots": shots}).encode())


def test_other_languages_and_types_are_refused_by_name():
    Deployment([Program("", "QASM2"), Program("", "qasm3")]).check()
    with pytest.raises(UnsupportedError, match="not QISKIT"):
        Deployment([Program("", "QISKIT")]).check()
    with pytest.raises(RequestError, match="empty"):
        Deployment([]).check()
    with pytest.raises(UnsupportedError, match="not SAMPLER"):
        JobOrder(1, type="SAMPLER").request(Deployment([Program("")]))


def test_a_finished_job_has_every_field_that_the_old_server_had():
    assert json.loads(encode(job(view(counts={"0101": 10})))) == {
        "id": 7,
        "executedBy": {"id": 0, "name": ""},
        "executedOn": {
            "id": 0, "numQubits": -1, "isSimulator": True, "isLocal": True,
            "provider": {
                "id": 0, "withToken": True, "supportedLanguages": {"id": 0, "providerId": "string", "name": ""},
                "name": "",
            },
        },
        "progress": 100,
        "state": "finished",
        "type": "",
        "startedAt": "2024-05-06 07:08:09",
        "finishedAt": "2024-05-06 07:08:09",
        "data": "",
        "results": [
            {
                "id": 0,
                "circuit": {
                    "quantumCircuit": TEXT, "assemblerLanguage": "QASM2", "pythonFilePath": "",
                    "pythonFileMetadata": "",
                },
                "results": {"0101": 10},
                "resultType": "COUNTS",
                "metaData": json.loads(encode(PROVENANCE)),
            }
        ],
        "parameters": "",
    }  # fmt: skip


def test_a_job_under_way_has_not_finished_and_no_results():
    found = job(view(JobState.QUEUED))
    assert (found["state"], found["finishedAt"], found["results"]) == ("running", "-", [])


def test_exact_results_are_shown_as_probabilities():
    (found,) = job(view(probabilities={"0000": 1.0}))["results"]
    assert (found["results"], found["resultType"]) == ({"0000": 1.0}, "PROBABILITIES")


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        (JobState.QUEUED, "READY"),
        (JobState.RUNNING, "RUNNING"),
        (JobState.DONE, "FINISHED"),
        (JobState.FAILED, "ERROR"),
        (JobState.CANCELLED, "CANCELED"),
    ],
)
def test_qunicorn_shouts_states(state, shown):
    assert qunicorn_job(view(state))["state"] == shown


def test_qunicorn_writes_a_hexadecimal_number_for_each_register_the_last_one_first():
    (found,) = qunicorn_job(view(counts={"1101": 4, "0000": 6}))["results"]
    assert found["data"] == {"0x6 0x1": 4, "0x0 0x0": 6}
    assert found["metadata"] == {
        "format": "hex", "shots": 10, "registers": [{"name": "high", "size": 3}, {"name": "low", "size": 1}],
    }  # fmt: skip
    assert found["resultType"] == "COUNTS"


def test_qunicorn_says_in_a_result_why_a_job_failed():
    (found,) = qunicorn_job(view(JobState.FAILED, message="too bad"))["results"]
    assert (found["resultType"], found["data"]) == ("ERROR", {"exception_message": "too bad"})


@pytest.mark.parametrize(
    ("text", "width", "registers"),
    [
        ("creg a[2]; creg b[1];", 3, [("a", 2), ("b", 1)]),
        ("// creg no[5];\ncreg a[2]; /* creg no[4]; */", 2, [("a", 2)]),
        ("bit[2] a; bit b;\nbit[3] c = measure q;", 6, [("a", 2), ("b", 1), ("c", 3)]),
        ('include "creg x[9];"; creg a [ 2 ] ;', 2, [("a", 2)]),
        ("const int n = 3; bit[n] a;", 3, [("", 3)]),
        ("qubit[2] q; bitter[2] a;", 2, [("", 2)]),
        ("", 0, []),
    ],
)  # fmt: skip
def test_classical_registers_are_found_or_all_bits_are_one(text, width, registers):
    assert registers_of(text, width) == registers


def test_a_circuit_that_came_as_an_object_is_shown_as_one():
    assert texts_of([b'{"circuits":"text"}', b'{"circuits":{"num_qubits":1}}']) == ["text", '{"num_qubits": 1}']
