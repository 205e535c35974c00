from __future__ import annotations

import pytest

from gateway.circuit import Circuit, parameter
from gateway.jobs import splitting
from gateway.jobs.splitting import alone, answers_of, run_sizes, split
from gateway.protocol.encodings import Encoding
from gateway.protocol.frames import frame
from gateway.protocol.messages import RunRequest, decode, encode

CIRCUIT = Circuit(1, 1).rx(parameter("a"), 0).measure(0, 0)


def requests(**fields: object) -> list[RunRequest | None]:
    request = RunRequest(circuits=CIRCUIT, **fields)
    return [decode(RunRequest, body) if body else None for body in split(request, encode(request))]


def test_a_single_circuit_is_its_own_request():
    body = encode(RunRequest(circuits=CIRCUIT, parameters={"a": 0.5}))
    assert split(decode(RunRequest, body), body) == [body]


def test_few_points_are_a_run_each_with_the_seed_of_the_point():
    found = requests(parameters={"a": [0.5, 1.0, 1.5], "b": 2.0}, seed=2**32 - 1, shots=[7])
    assert [request.parameters for request in found] == [{"a": [a], "b": [2.0]} for a in (0.5, 1.0, 1.5)]
    assert [request.seed for request in found] == [2**32 - 1, 0, 1]
    assert all(request.is_list and request.shots_list() == [7] for request in found)


def test_many_points_are_run_several_at_a_time():
    found = requests(parameters={"a": [float(k) for k in range(100)]}, seed=5)
    begins = [k for k, request in enumerate(found) if request is not None]
    assert begins == list(range(0, 100, 4))
    assert [found[k].parameters["a"][0] for k in begins] == begins
    assert [found[k].seed for k in begins] == [5 + k for k in begins]
    assert sum(found[k].num_results for k in begins) == 100


def test_points_with_many_shots_are_run_fewer_at_a_time():
    found = requests(parameters={"a": [0.0] * 320}, shots=splitting._MOST_SHOTS // 2)
    assert [k for k, request in enumerate(found) if request is not None] == list(range(0, 320, 2))


def test_the_sizes_of_runs_are_known_from_the_requests():
    assert run_sizes([b"x", b"", b"", b"x", b"x", b""]) == {0: 3, 4: 2}
    assert run_sizes([b"x", b"x"]) == {}


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_point_of_a_run_has_a_request_alone(place):
    together = encode(RunRequest(circuits=CIRCUIT, parameters={"a": [0.5, 1.0, 1.5]}, seed=2**32 - 1))
    request = decode(RunRequest, alone(together, place))
    assert request.parameters == {"a": [0.5 + place / 2]}
    assert request.seed == (2**32 - 1 + place) % 2**32


@pytest.mark.parametrize(
    "request_of_all", [RunRequest(circuits="x"), RunRequest(circuits='"parameters"', parameters={"a": 0.5})]
)
def test_a_request_without_points_stays_as_it_is(request_of_all):
    body = encode(request_of_all)
    assert alone(body, 0) is body


@pytest.mark.parametrize("encoding", Encoding, ids=str)
def test_the_answer_of_a_run_is_taken_apart(encoding):
    results = [encode({"a": 1}, encoding), encode({"b": [2, 3]}, encoding)]
    around, alone_ = frame(2, encoding), frame(1, encoding)
    together = around.beginning + around.separator.join(results) + around.end
    assert answers_of(together, encoding) == [alone_.beginning + result + alone_.end for result in results]
