"""Errors and logs reveal no path, no variable, no stack trace and no circuit."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.fake import Does, fake
from support.raw import JSON, run_body
from support.serving import Served, client, serving
from support.waiting import wait_until

SECRET = "squeamish-ossifrage"  # noqa: S105 - looked for, not kept
CIRCUIT = f"OPENQASM 3;\nqubit secret_{SECRET.replace('-', '_')};\nint x = ;\n"
ROOT = Path(__file__).parents[2]
NAMES = SECRET.replace("-", "_")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    jobs = tmp_path_factory.mktemp("jobs") / "jobs.sqlite"
    with serving("--jobs", f"sqlite:///{jobs}", env={"MY_SECRET": SECRET, "HOME": str(jobs.parent)}) as served:
        yield served


FAILING = {
    "raises": run_body(fake(Does.RAISE)),
    "panics": run_body(fake(Does.PANIC)),
    "aborts": run_body(fake(Does.ABORT)),
    "is killed": run_body(fake(Does.KILL_ITSELF)),
    "exits": run_body(fake(Does.SYS_EXIT, 3)),
    "runs out of memory": run_body(fake(Does.ALLOCATE, 2**60)),
    "returns garbage": run_body(fake(Does.WRONG_WIDTH)),
    "takes too long": run_body(fake(Does.SLEEP, 10), timeout_s=0.2),
    "no JSON": b"{",
    "no OpenQASM": run_body("hello"),
    "an include": run_body('OPENQASM 3;\ninclude "/proc/self/environ";\nqubit q;'),
    "another include": run_body('OPENQASM 2.0;\ninclude "/etc/passwd";\nqreg q[1];'),
    "a limit": run_body(shots=10**9),
    "what is not offered": run_body(shots=None, result="statevector"),
}


@pytest.mark.parametrize("name", FAILING)
def test_an_error_says_nothing_about_the_machine(server: Served, name: str):
    reply = server.run(FAILING[name])
    assert reply.status >= 400
    assert reply.headers["Content-Type"] == "application/problem+json"
    _assert_says_nothing(reply.body + str(reply.headers).encode())


@pytest.mark.parametrize("name", ["raises", "panics", "aborts", "takes too long", "an include"])
def test_neither_does_the_error_of_a_job(server: Served, name: str):
    job = server.request("POST", "/v1/jobs", FAILING[name], JSON).json["id"]
    wait_until(lambda: server.request("GET", f"/v1/jobs/{job}?wait_s=5").json["state"] == "failed", "the job to fail")
    reply = server.request("GET", f"/v1/jobs/{job}")
    assert reply.json["errors"]
    _assert_says_nothing(reply.body)


def _assert_says_nothing(said: bytes) -> None:
    text = said.decode()
    for told in (
        "Traceback",
        'File "',
        ".py",
        "site-packages",
        str(ROOT),
        os.environ["HOME"],
        SECRET,
        "MY_SECRET",
        "root:",
        "0x7f",
    ):
        assert told not in text, text
    assert not re.search(r"(?<![\w/])/(?:home|usr|tmp|etc|root|var|opt)/(?!passwd)", text), text


@pytest.mark.parametrize("path", ["/v1/backend", "/openapi.json", "/metrics", "/healthz", "/readyz", "/v1/jobs"])
def test_neither_does_what_a_server_tells_of_itself(server: Served, path: str):
    _assert_says_nothing(server.request("GET", path).body)


def test_circuits_are_in_no_log(server: Served):
    before = len(server.log())
    assert server.run(run_body(CIRCUIT)).status == 400
    assert server.run(run_body(f"OPENQASM 3; qubit {NAMES}; bit c; c = measure {NAMES};")).status == 200
    with client(server) as asking:
        wait_until(asking.run_async(f"OPENQASM 3; qubit {NAMES}; bit c; {NAMES};").done, "the job to end")
    written = server.log()[before:]
    assert '"outcome":"circuit-syntax"' in written
    assert NAMES not in written


def test_a_failure_of_ours_is_in_the_log_with_its_stack_and_not_in_the_answer(server: Served):
    server.run(run_body(fake(Does.PANIC)))
    assert "the fake was told to panic" in server.log()
    assert "Traceback" in server.log()


def test_a_run_is_logged_as_one_line_that_says_how_it_ended(server: Served):
    before = len(server.log())
    server.run(run_body(fake(Does.RAISE)))
    (line,) = [json.loads(line) for line in server.log()[before:].splitlines() if line.startswith('{"time"')]
    assert line["outcome"] == "simulator-error"


def test_what_a_request_writes_cannot_forge_a_line_of_the_log(server: Served):
    before = len(server.log())
    forged = {
        "traceparent": '00-x\t{"time"',
        "Idempotency-Key": '{"time":"now","outcome":"ok"}',
        "User-Agent": '{"time"',
    }
    assert server.request("POST", "/v1/jobs", run_body(), {**JSON, **forged}).status == 202
    assert '"outcome":"ok"}' not in server.log()[before:].replace('"kind"', "")


def test_the_database_of_jobs_can_be_read_by_its_owner_only(tmp_path: Path):
    folder = tmp_path / "state"
    with serving("--jobs", f"sqlite:///{folder / 'jobs.sqlite'}") as served:
        assert served.request("POST", "/v1/jobs", run_body(), JSON).status == 202
        assert len(list(folder.iterdir())) >= 2, "the write-ahead log is there too"
        assert [path.name for path in (folder, *folder.iterdir()) if path.stat().st_mode & 0o077] == []
