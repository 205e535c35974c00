from __future__ import annotations

import json
from functools import partial

import pytest
from support.fake import Does, FakeAdapter

from gateway.circuit import Circuit, parameter
from gateway.errors import JobTimeout, LimitError
from gateway.execution.content import FileContent, whole
from gateway.execution.runner import Answer, Runner
from gateway.protocol.encodings import Encoding
from gateway.protocol.messages import RunRequest, RunResponse, ServerLimits, decode, encode
from gateway.server.spreading import Share, run_shares, shares

CIRCUIT = Circuit(1, 8).u(parameter("does"), parameter("n"), 0, 0).measure(0, 0)
RUNNER = Runner(FakeAdapter(), ServerLimits())


def sweep(size: int = 100, *, fails: tuple[int, ...] = (), seed: int | None = 2**32 - 2) -> RunRequest:
    does = [float(Does.RAISE if k in fails else Does.ECHO) for k in range(size)]
    parameters = {"n": [float(k) for k in range(size)], "does": does}
    return RunRequest(circuits=CIRCUIT, shots=3, seed=seed, parameters=parameters)


def run(request: bytes, encoding: Encoding = Encoding.JSON) -> Answer:
    return RUNNER.run(request, None, encoding=encoding)


def test_points_are_divided_in_equal_shares_that_know_their_first_point_and_seed():
    found = shares(sweep(), 3)
    assert [share.begin for share in found] == [0, 33, 66]
    requests = [decode(RunRequest, share.request) for share in found]
    assert [request.num_results for request in requests] == [33, 33, 34]
    assert [request.seed for request in requests] == [2**32 - 2, 31, 64]
    assert decode(RunRequest, shares(sweep(seed=None), 2)[1].request).seed is None


@pytest.mark.parametrize(
    ("request_", "workers"),
    [
        (sweep(), 1),
        (sweep(31), 4),
        (RunRequest(circuits=CIRCUIT, parameters={"n": 1.0, "does": 1.0}), 4),
        (RunRequest(circuits=["x"] * 100), 4),
    ],
)
def test_what_has_one_worker_or_few_points_is_not_divided(request_, workers):
    assert shares(request_, workers) == []


def test_no_share_has_fewer_points_than_are_worth_a_worker():
    assert len(shares(sweep(50), 8)) == 3


@pytest.mark.parametrize("encoding", Encoding, ids=str)
def test_the_answer_is_that_of_one_worker(encoding):
    alone = decode(RunResponse, run(encode(sweep())).body)
    answer = run_shares(partial(run, encoding=encoding), shares(sweep(), 3), 2**20, encoding)
    together = decode(RunResponse, whole(answer.body), encoding)
    assert answer.status == 200
    assert [result.counts for result in together.results] == [result.counts for result in alone.results]
    assert [result.provenance.seed for result in together.results] == [(2**32 - 2 + k) % 2**32 for k in range(100)]
    assert answer.stages[0] == pytest.approx(sum(result.provenance.parse_s for result in together.results))


def test_large_answers_are_not_brought_into_memory():
    def run_large(request: bytes) -> Answer:
        answer, content = run(request), FileContent()
        content.append(answer.body)
        return answer._replace(body=content)

    answer = run_shares(run_large, shares(sweep(), 2), 2**20)
    assert not isinstance(answer.body, bytes)
    assert len(decode(RunResponse, whole(answer.body)).results) == 100


@pytest.mark.parametrize(("fails", "first"), [((80,), 80), ((80, 3), 3), ((34, 99), 34)])
def test_the_first_problem_is_the_answer_and_names_its_point(fails, first):
    answer = run_shares(run, shares(sweep(fails=fails), 3), 2**20)
    problem = json.loads(answer.body)
    assert (answer.status, problem["code"], problem["circuit"]) == (500, "simulator-error", first)


def test_a_problem_of_the_request_names_no_point():
    request = RunRequest(circuits=CIRCUIT, parameters={"n": [1.0] * 100})
    problem = json.loads(run_shares(run, shares(request, 3), 2**20).body)
    assert (problem["code"], problem.get("circuit")) == ("request-invalid", None)


def test_an_answer_that_is_too_large_together_is_refused():
    with pytest.raises(LimitError, match="this server gives 1,000") as caught:
        run_shares(run, shares(sweep(), 2), 1_000)
    assert caught.value.limit == "max_result_bytes"


def test_an_error_of_any_share_is_raised_when_all_have_ended():
    ended: list[bytes] = []

    def run_late(request: bytes) -> Answer:
        ended.append(request)
        if request == b"late":
            raise JobTimeout("the run took longer", timeout_s=1)
        return Answer(200, b"")

    with pytest.raises(JobTimeout, match="took longer"):
        run_shares(run_late, [Share(0, 5, b"first"), Share(5, 4, b"late"), Share(9, 1, b"last")], 2**20)
    assert sorted(ended) == [b"first", b"last", b"late"]
