"""Jobs over HTTP, on a real server."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support.fake import TARGET, Does, fake
from support.raw import JSON, Server, alive, run_body, wait_for_end
from support.waiting import wait_until

from gateway import Circuit, JobState, LocalSimulator
from gateway.backends.process import ServerProcess
from gateway.errors import BusyError, JobCancelled, JobNotFound, SimulatorCrashed, SimulatorError
from gateway.protocol.messages import ServerLimits

PATHS = os.pathsep.join(filter(None, sys.path))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    jobs = tmp_path_factory.mktemp("jobs") / "jobs.sqlite"
    process = ServerProcess(
        target=TARGET, workers=2, jobs=jobs, name="fake", limits=ServerLimits(max_queued_circuits=50)
    )
    process.start()
    yield Server(process)
    process.stop()


def test_a_job_is_accepted_with_its_address_and_answered_there(server: Server):
    reply = server.request("POST", "/v1/jobs", run_body(fake(amount=3), shots=7))
    assert reply.status == 202
    location = reply.headers["Location"]
    assert location == f"/v1/jobs/{reply.json['id']}"
    assert len(reply.json["id"]) >= 22, "128 random bits"
    found = server.request("GET", f"{location}?wait_s=30")
    assert found.status == 200
    assert found.json["state"] == "done"
    assert found.json["results"][0]["counts"] == {"00000011": 7}
    assert found.json["created_at"].endswith("Z")


def test_the_state_comes_without_results_and_each_result_alone(server: Server):
    circuits = [fake(amount=3), fake(Does.RAISE), fake(amount=4)]
    location = server.request("POST", "/v1/jobs", run_body(circuits, shots=7)).headers["Location"]
    state = server.request("GET", f"{location}?wait_s=30&results=false").json
    assert (state["state"], state["failures"], "results" in state, "errors" in state) == ("failed", 1, False, False)
    job = server.request("GET", location)
    assert int(job.headers["Content-Length"]) == len(job.body)
    replies = [server.request("GET", f"{location}/results/{k}") for k in range(3)]
    assert [reply.status for reply in replies] == [200, 500, 200]
    assert [reply.json["results"][0] for reply in (replies[0], replies[2])] == [job.json["results"][k] for k in (0, 2)]
    assert (replies[1].json, replies[1].headers["Content-Type"]) == (job.json["errors"][0], "application/problem+json")
    assert state["result_bytes"] == pytest.approx(sum(len(reply.body) for reply in replies), abs=20)
    for position in (3, 10**30):
        missing = server.request("GET", f"{location}/results/{position}")
        assert (missing.status, missing.json["code"]) == (404, "result-not-found")
    ended = server.request("DELETE", location).json
    assert ended == job.json, "nothing changes about a job that has ended"
    assert server.request("DELETE", f"{location}?results=false").json == state
    for query in ("forget=yes", "forget=true&results=no"):
        assert server.request("DELETE", f"{location}?{query}").status == 400
    assert server.request("DELETE", f"{location}?forget=true").json == state
    assert server.request("GET", location).status == 404


def test_a_poll_returns_when_the_job_ends_and_not_later_than_it_said(server: Server):
    job = server.request("POST", "/v1/jobs", run_body(fake(Does.WAIT))).json["id"]
    server.wait_until_doing(Does.WAIT)
    early = server.request("GET", f"/v1/jobs/{job}?wait_s=0.05")
    assert early.json["state"] == "running"
    assert "results" not in early.json
    with ThreadPoolExecutor(1) as thread:
        late = thread.submit(server.request, "GET", f"/v1/jobs/{job}?wait_s=3600")
        server.let_go()
        assert late.result(60).json["state"] == "done"


@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "code"),
    [
        ("GET", "/v1/jobs/nonsense", {}, 404, "job-not-found"),
        ("GET", "/v1/jobs/nonsense?results=false", {}, 404, "job-not-found"),
        ("GET", "/v1/jobs/nonsense?results=no", {}, 400, "request-invalid"),
        ("GET", "/v1/jobs/nonsense/results/0", {}, 404, "job-not-found"),
        ("GET", "/v1/jobs/nonsense/results/-1", {}, 400, "request-invalid"),
        ("GET", "/v1/jobs/nonsense/results/one", {}, 400, "request-invalid"),
        ("GET", "/v1/jobs/nonsense/results/%C2%B2", {}, 400, "request-invalid"),
        ("GET", "/v1/jobs/nonsense/results/0?results=false", {}, 400, "request-invalid"),
        ("GET", "/v1/jobs/nonsense/results/", {}, 404, "not-found"),
        ("DELETE", "/v1/jobs/nonsense?forget=true", {}, 404, "job-not-found"),
        ("DELETE", "/v1/jobs/nonsense", {}, 404, "job-not-found"),
        ("POST", "/v1/jobs/nonsense/rerun", {}, 404, "job-not-found"),
        ("GET", "/v1/jobs?before=nonsense", {}, 404, "job-not-found"),
        ("GET", "/v1/jobs?state=nonsense", {}, 400, "request-invalid"),
        ("GET", "/v1/jobs?limit=0", {}, 400, "request-invalid"),
        ("GET", "/v1/jobs?limit=many", {}, 400, "request-invalid"),
        ("GET", "/v1/jobs?limit=1.5", {}, 400, "request-invalid"),
        ("GET", "/v1/jobs?limit=inf", {}, 400, "request-invalid"),
        ("GET", "/v1/jobs?limit=", {}, 400, "request-invalid"),
        ("GET", "/v1/jobs?limit=1&limit=2", {}, 400, "request-invalid"),
        ("GET", "/v1/jobs?lmit=1", {}, 400, "request-invalid"),
        ("GET", "/v1/jobs/x?limit=1", {}, 400, "request-invalid"),
        ("GET", "/v1/backend?verbose=1", {}, 400, "request-invalid"),
        ("POST", "/v1/jobs?shots=1", {}, 400, "request-invalid"),
        ("GET", "/v1/jobs/x?wait_s=inf", {}, 400, "request-invalid"),
        ("GET", "/v1/jobs/x?wait_s=-1", {}, 400, "request-invalid"),
        ("GET", "/v1/jobs/x?wait_s=nan", {}, 400, "request-invalid"),
        ("POST", "/v1/jobs", {"Idempotency-Key": ""}, 400, "request-invalid"),
        ("POST", "/v1/jobs", {"Idempotency-Key": "x" * 256}, 400, "request-invalid"),
        ("PUT", "/v1/jobs", {}, 405, "method-not-allowed"),
    ],
)
def test_what_makes_no_sense_is_refused(server: Server, method, path, headers, status, code):
    reply = server.request(method, path, run_body() if method == "POST" else None, {**JSON, **headers})
    assert (reply.status, reply.json["code"]) == (status, code)


def test_a_parameter_that_is_unknown_is_named_with_the_closest_one(server: Server):
    detail = server.request("GET", "/v1/jobs?lmit=1").json["detail"]
    assert detail == "GET /v1/jobs has no parameter 'lmit': did you mean 'limit'? Known are state, before, limit"
    assert server.request("GET", "/v1/jobs?limit=1.5").json["detail"] == (
        "limit must be an integer of at least 1, not '1.5'"
    )


def test_numbers_of_the_query_are_taken_as_json_writes_them(server: Server):
    assert server.request("GET", "/v1/jobs?limit=5000").status == 200
    assert server.request("GET", "/v1/jobs/x?wait_s=1e-3").status == 404
    assert server.request("GET", "/healthz?from=balancer").status == 200


@pytest.mark.parametrize(("fields", "status"), [({"shots": 10**9}, 413), ({"timeout_s": 1e9}, 413)])
def test_a_job_is_held_to_the_limits_before_it_is_accepted(server: Server, fields, status):
    assert server.request("POST", "/v1/jobs", run_body(**fields)).status == status
    assert server.request("POST", "/v1/jobs", b'{"circuits": []}').status == 400
    assert server.request("POST", "/v1/jobs", b'{"circuits": "x", "shots": true}').status == 400


def test_the_same_key_runs_once_however_often_and_at_once_it_is_sent(server: Server):
    def send(_: int) -> str:
        headers = {**JSON, "Idempotency-Key": "once"}
        return server.request("POST", "/v1/jobs", run_body(fake(Does.SLEEP, 0.2)), headers).json["id"]

    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(send, range(16)))) == 1
    other = server.request("POST", "/v1/jobs", run_body(fake(amount=1)), {**JSON, "Idempotency-Key": "once"})
    assert (other.status, other.json["code"]) == (422, "idempotency-conflict")


def test_a_list_is_spread_over_the_workers_and_comes_back_in_order(server: Server):
    with server.client() as client:
        job = client.run_async([fake(Does.WAIT), fake(Does.WAIT), *[fake(amount=k) for k in range(8)]])
        assert len(server.wait_until_doing(Does.WAIT, 2)) == 2, "both at once"
        server.let_go()
        outcomes = job.result(60)
        assert [str(max(outcome)) for outcome in outcomes[2:]] == [format(k, "08b") for k in range(8)]
        assert len({outcome.provenance.version for outcome in outcomes}) == 2, "the fake's version is its process"
        assert job.progress() == (10, 10)


def test_what_succeeded_of_a_list_can_be_had_although_others_failed(server: Server):
    with server.client() as client:
        job = client.run_async([fake(amount=1), fake(Does.KILL_ITSELF), fake(Does.RAISE), fake(amount=2)])
        with pytest.raises(SimulatorCrashed, match="SIGKILL") as caught:
            job.result(30)
        assert caught.value.circuit == 1
        first, crashed, raised, last = job.outcomes()
        assert (dict(first), dict(last)) == ({"00000001": 1024}, {"00000010": 1024})
        assert (type(crashed), type(raised), raised.circuit) == (SimulatorCrashed, SimulatorError, 2)
        assert job.status() is JobState.FAILED


@pytest.mark.parametrize("does", [Does.SLEEP, Does.SLEEP_WITH_GIL])
def test_cancelling_kills_the_process_that_runs(server: Server, does: Does):
    with server.client() as client:
        job = client.run_async(fake(does, 60))
        running = server.wait_until_doing(does)
        before = server.processes()
        assert job.cancel()
        wait_for_end(running)
        assert all(map(alive, before - running)), "and no other"
        with pytest.raises(JobCancelled):
            job.result(1)
        assert dict(client.run_async(fake(amount=1)).result(30)) == {"00000001": 1024}


def test_a_full_queue_is_busy_and_cancelling_makes_room(server: Server):
    with server.client() as client:
        hold = [client.run_async(fake(Does.SLEEP, 60)) for _ in range(2)]
        server.wait_until_doing(Does.SLEEP, 2)
        jobs = [client.run_async([fake()] * 25) for _ in range(2)]
        with pytest.raises(BusyError, match="circuits wait") as caught:
            client.run_async(fake())
        assert caught.value.retry_after_s == 5
        for job in (*jobs, *hold):
            job.cancel()
        assert client.run_async(fake()).result(30).shots == 1024


def test_a_job_is_found_again_from_another_process(server: Server):
    with server.client() as client:
        job_id = client.run_async(fake(Does.SLEEP, 0.3)).id
    code = (
        f"from gateway import BackendClient; print(BackendClient(port={server.port}).job({job_id!r}).result(30).shots)"
    )
    environment = {**os.environ, "PYTHONPATH": PATHS}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout == "1024\n"


def test_the_latest_jobs_are_listed_and_one_can_be_run_again(server: Server):
    with server.client() as client:
        first = client.run_async(fake(amount=9), seed=5)
        first.result(30)
        assert client.jobs(limit=1)[0].id == first.id
        assert {job.state for job in client.jobs(state="done")} == {JobState.DONE}
        again = client.rerun(first.id)
        assert again.id != first.id
        assert again.result(30) == first.result()
        for job_id in ("nonsense", "", ".", "..", "../../etc", "a/b"):
            with pytest.raises(JobNotFound, match="no job"):
                client.rerun(job_id)
            with pytest.raises(JobNotFound, match="no job"):
                client.job(job_id)


def test_a_local_simulator_with_a_file_finds_its_jobs_after_a_restart(tmp_path: Path):
    bell = Circuit(2).h(0).cx(0, 1).measure_all()
    with LocalSimulator("qulacs", jobs=tmp_path / "jobs.sqlite", workers=1) as simulator:
        job = simulator.run_async(bell, seed=1)
        counts = job.result(30)
        unfinished = [simulator.run_async(bell, seed=k) for k in range(20)]
    with LocalSimulator("qulacs", jobs=tmp_path / "jobs.sqlite", workers=1) as simulator:
        assert simulator.job(job.id).result(30) == counts
        assert [simulator.job(one.id).result(30).shots for one in unfinished] == [1024] * 20
        assert simulator.job(unfinished[1].id).result() == counts


def test_a_job_and_its_result_survive_the_death_of_all_that_serves_it(server: Server):
    with server.client() as client:
        done = client.run_async(fake(amount=7))
        done.result(30)
        running = client.run_async([fake(Does.SLEEP, 1), fake(amount=8)])
        wait_until(lambda: running.status() is JobState.RUNNING, "the job to run")
        http_worker = min(server.processes() - {server.process.pid})
        os.kill(http_worker, signal.SIGKILL)
        assert [sum(outcome.values()) for outcome in running.result(60)] == [1024, 1024]
        assert dict(client.job(done.id).result()) == {"00000111": 1024}
        wait_for_end({http_worker})


def test_runs_waiting_and_running_jobs_are_in_the_metrics(server: Server):
    with server.client() as client:
        client.run(fake())
        job = client.run_async(fake(Does.SLEEP, 60))
        wait_until(lambda: job.status() is JobState.RUNNING, "the job to run")
        reply = server.request("GET", "/metrics")
        text = reply.body.decode()
        job.cancel()
    assert reply.headers["Content-Type"].startswith("text/plain")
    for line in ('gateway_jobs{state="running"} 1.0', "gateway_ready 1.0", "gateway_workers 2.0"):
        assert line in text
    for name in (
        "gateway_requests_total{",
        'gateway_runs_total{kind="run",outcome="ok"}',
        "gateway_stage_seconds_bucket",
    ):
        assert name in text
    assert 'gateway_memory_bytes{process="workers"}' in text
