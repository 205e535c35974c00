"""The promises of tests/security hold for the paths of old Qrisp clients too."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator

import pytest
from support.raw import JSON
from support.serving import Served, exchange, request, serving, statuses

pytestmark = pytest.mark.slow  # it talks to a server

PATHS = ("/run", "/deployments", "/jobs")


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    with serving("--limit", "max_body_bytes=100000") as served:
        yield served


@pytest.mark.parametrize("path", PATHS)
def test_pages_of_other_origins_are_refused(server: Served, path: str):
    reply = server.request("POST", path, b"{}", {**JSON, "Origin": "https://evil.example"})
    assert (reply.status, reply.json["code"]) == (403, "origin-refused")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_what_a_form_can_send_is_no_request(server: Served, content_type: str, path: str):
    assert server.request("POST", path, b"{}", {"Content-Type": content_type}).status == 415


@pytest.mark.parametrize("path", PATHS)
def test_a_body_over_the_limit_is_413_and_chunks_are_411(server: Served, path: str):
    large = server.request("POST", path, b'{"qc": "' + b" " * 100_000 + b'"}', JSON)
    assert (large.status, large.json["code"]) == (413, "limit-exceeded")
    headers = ("Content-Type: application/json", "Transfer-Encoding: chunked")
    assert statuses(exchange(server, request("POST", path, *headers, body=b"2\r\n{}\r\n0\r\n\r\n"))) == [411]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "body", [b"QISKIT\x0c\x01", pickle.dumps({"qc": 1}), b"__import__('os')", b"<?xml version='1.0'?>"],
    ids=["qpy", "pickle", "python", "xml"],
)  # fmt: skip
def test_qpy_pickles_and_programs_are_not_accepted(server: Served, body: bytes, path: str):
    assert server.request("POST", path, body, JSON).status == 400
    text = json.dumps({"qc": body.decode("latin-1"), "programs": body.decode("latin-1")}).encode()
    assert server.request("POST", path, text, JSON).status == 400
