"""Splits the request of a job into the requests of its runs, and the answer of a run at several points into answers.

Each circuit of a list is a run. Points of a sweep are run several at a time, since a run of a job costs milliseconds
beside what it computes. A point is a circuit of the job like any other, with an answer of its own: if the run of
several points fails, each of them has a run for itself.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from gateway.circuit.points import Points
from gateway.execution.content import Content, whole
from gateway.protocol.encodings import Encoding
from gateway.protocol.frames import frame
from gateway.protocol.messages import SEED_END, RawResponse, RunRequest, decode, encode, points_from

_MOST_RUNS = 32
"""A sweep becomes so many runs at least, or as many as it has points, and rather not many more."""

_MOST_SHOTS = 2_000_000
"""So many shots are drawn in a run of several points."""

_MARK = b'"parameters"'
"""A request without it has no parameters."""


def split(request: RunRequest, body: bytes) -> list[bytes]:
    """Return a request for each circuit, with the shots and the seed that the circuit has in the list.

    For a sweep it is one for each point, which is empty where the point is part of the run of a point before it.
    """
    points = request.points() if request.is_list else None
    if points is not None:
        return _split_points(request, points)
    if not isinstance(request.circuits, list):
        return [body]
    return [
        encode(msgspec.structs.replace(request, circuits=circuit, shots=shots, seed=_seed(request, k)))
        for k, (circuit, shots) in enumerate(zip(request.circuits, request.shots_list(), strict=True))
    ]


def run_sizes(requests: Sequence[bytes]) -> dict[int, int]:
    """Return the position at which each run of several points begins -> the number of its points."""
    begins = [position for position, request in enumerate(requests) if request]
    ends = [*begins[1:], len(requests)]
    return {begin: end - begin for begin, end in zip(begins, ends, strict=True) if end - begin > 1}


def alone(request: bytes, place: int) -> bytes:
    """Return the request of one circuit or point alone.

    Args:
        request: the request of the run that it is part of.
        place: its place among the points of that run.
    """
    if _MARK not in request:
        return request
    message = decode(RunRequest, request)
    points = message.points() if message.is_list else None
    return request if points is None else encode(points_from(message, points, place, place + 1))


def answers_of(content: Content, encoding: Encoding) -> list[bytes]:
    """Return the answer of each point of a run of several."""
    around = frame(1, encoding)
    results = decode(RawResponse, whole(content), encoding).results
    return [around.beginning + bytes(result) + around.end for result in results]


def _split_points(request: RunRequest, points: Points) -> list[bytes]:
    (shots,) = request.shots_list()
    size = max(min(-(-points.size // _MOST_RUNS), _MOST_SHOTS // (shots or 1)), 1)
    requests = [b""] * points.size
    for begin in range(0, points.size, size):
        requests[begin] = encode(points_from(request, points, begin, begin + size))
    return requests


def _seed(request: RunRequest, position: int) -> int | None:
    return None if request.seed is None else (request.seed + position) % SEED_END
