from __future__ import annotations

import json

import pytest

from gateway.errors import BY_CODE, GatewayError, LimitError, RequestError, SimulatorError, TransportError
from gateway.protocol import problem

URL = "http://127.0.0.1:8088/v1/run"
STANDARD = {"type", "title", "status", "detail", "code", "circuit"}
VALUES = {"line": 3, "column": 4, "operation": 2, "exit_code": -9, "requested": 5, "allowed": 4, "timeout_s": 1.5}


def example(cls: type[GatewayError]) -> GatewayError:
    return cls("it went wrong", circuit=1, **{name: VALUES.get(name, f"the {name}") for name in cls.fields})


@pytest.mark.parametrize("cls", BY_CODE.values(), ids=lambda cls: cls.__name__)
def test_an_error_comes_out_of_its_problem_as_it_went_in(cls):
    error = example(cls)
    again = problem.parse(problem.dump(error), cls.status, URL)
    assert type(again) is cls
    assert (str(again), again.circuit, again.details) == (str(error), 1, error.details)


@pytest.mark.parametrize("cls", BY_CODE.values(), ids=lambda cls: cls.__name__)
def test_a_problem_has_the_members_of_rfc_9457(cls):
    error = example(cls)
    found = json.loads(problem.dump(error))
    assert found["type"] == f"urn:simulator-gateway:problem:{cls.code}"
    assert (found["status"], found["code"], found["detail"]) == (cls.status, cls.code, error.message)
    assert found["title"]
    assert not found["title"].endswith(".")
    assert len(set(found) - STANDARD) == len(cls.fields), "a field hides a standard member"


@pytest.mark.parametrize("cls", BY_CODE.values(), ids=lambda cls: cls.__name__)
def test_a_title_is_of_the_class_itself_and_not_its_docstring(cls, monkeypatch):
    monkeypatch.setattr(cls, "__doc__", "Something else.")
    assert json.loads(problem.dump(example(cls)))["title"] == vars(cls)["title"]


def test_fields_without_a_value_are_left_out():
    assert set(json.loads(problem.dump(RequestError("x")))) == STANDARD - {"circuit"}


def test_the_words_of_a_simulator_do_not_replace_the_message():
    found = json.loads(problem.dump(SimulatorError("cirq failed: x", detail="x")))
    assert (found["detail"], found["simulator_detail"]) == ("cirq failed: x", "x")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>502 Bad Gateway</html>",
        b"null",
        b"[]",
        b"7",
        b'"code"',
        b"{}",
        b'{"code": "busy"}',
        b"\xff",
        b"[" * 200_000,
    ],
)
def test_an_error_without_a_problem_document_is_a_transport_error_that_shows_it(body):
    error = problem.parse(body, 502, URL)
    assert type(error) is TransportError
    assert str(error).startswith(f"{URL} answered 502 without a problem document: ")
    assert len(str(error)) < 400


@pytest.mark.parametrize(("status", "cls"), [(418, RequestError), (599, GatewayError)])
def test_an_unknown_code_becomes_the_nearest_class(status, cls):
    error = problem.parse(b'{"code": "brand-new", "detail": "what it is"}', status, URL)
    assert (type(error), str(error)) == (cls, "what it is")


@pytest.mark.parametrize("code", ["SystemExit", "builtins.SystemExit", "GatewayError", "__class__", "", "BY_CODE"])
def test_a_server_cannot_name_a_class_of_its_choice(code):
    body = json.dumps({"code": code, "detail": "x", "message": "y", "args": [1]}).encode()
    assert type(problem.parse(body, 500, URL)) is GatewayError


def test_members_that_are_no_fields_of_the_class_are_ignored():
    error = problem.parse(
        b'{"code": "limit-exceeded", "detail": "x", "allowed": 3, "args": 1, "circuit": "two"}', 413, URL
    )
    assert error.details == dict.fromkeys(LimitError.fields) | {"allowed": 3}
    assert error.circuit is None
