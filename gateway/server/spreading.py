"""Divides the points of a sweep that somebody waits for among the workers that are free."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

from gateway.errors import GatewayError, LimitError
from gateway.execution.content import size_of, whole
from gateway.execution.runner import Answer
from gateway.jobs.joined import Joined, Part, part
from gateway.protocol.encodings import Encoding
from gateway.protocol.frames import frame
from gateway.protocol.messages import RunRequest, encode, points_from

_LEAST = 16
"""Fewer points are not worth another worker, which parses and builds the circuit as well."""

_OK = 200


class Share(NamedTuple):
    """Some points of a sweep.

    Args:
        begin: the number of the first one.
        size: how many they are.
        request: a request for them.
    """

    begin: int
    size: int
    request: bytes


def shares(request: RunRequest, workers: int) -> list[Share]:
    """Return the points of a request in equal shares; none if it has too few, or there is one worker.

    Args:
        request: the request.
        workers: how many may run it.
    """
    number = min(workers, request.num_results // _LEAST) if request.parameters else 1
    points = request.points() if number > 1 else None
    if points is None:
        return []
    bounds = [points.size * k // number for k in range(number + 1)]
    return [
        Share(begin, end - begin, encode(points_from(request, points, begin, end))) for begin, end in pairwise(bounds)
    ]


def run_shares(
    run: Callable[[bytes], Answer], parts: Sequence[Share], most_bytes: int, encoding: Encoding = Encoding.JSON
) -> Answer:
    """Run shares at the same time, and return one answer: all results in order, or the first problem.

    Args:
        run: runs a request; it is called in a thread for each share.
        parts: the shares.
        most_bytes: how long the answer may become.
        encoding: how the results are written.

    Raises:
        GatewayError: there is no answer to some share.
    """
    answers: list[Answer | BaseException] = [GatewayError("the run did not end")] * len(parts)

    def keep(number: int, request: bytes) -> None:
        try:
            answers[number] = run(request)
        except BaseException as exc:  # noqa: BLE001 - raised in the thread that waits for all
            answers[number] = exc

    threads = [
        threading.Thread(target=keep, args=(number, share.request), name="gateway-share", daemon=True)
        for number, share in enumerate(parts)
    ]
    for thread in threads[1:]:
        thread.start()
    keep(0, parts[0].request)
    for thread in threads[1:]:
        thread.join()
    checked = [_checked(answer, share.begin) for answer, share in zip(answers, parts, strict=True)]
    return _joined(checked, [share.size for share in parts], most_bytes, encoding)


def _checked(answer: Answer | BaseException, begin: int) -> Answer:
    """Return an answer; a problem in it names the point among those of all shares."""
    if isinstance(answer, BaseException):
        raise answer
    if answer.status == _OK or not begin:
        return answer
    problem = json.loads(whole(answer.body))
    if "circuit" in problem:
        problem["circuit"] += begin
    return answer._replace(body=json.dumps(problem).encode())


def _joined(answers: list[Answer], sizes: list[int], most_bytes: int, encoding: Encoding) -> Answer:
    """Return answers, which have so many results, as one.

    Raises:
        LimitError: it would be too large.
    """
    failed = next((answer for answer in answers if answer.status != _OK), None)
    if failed is not None:
        return failed
    around = frame(sum(sizes), encoding)
    parts: list[Part] = []
    for answer, size in zip(answers, sizes, strict=True):
        own = frame(size, encoding)
        parts += [part(around.separator), part(answer.body, skip=len(own.beginning), leave=len(own.end))]
    body = Joined([part(around.beginning), *parts[1:], part(around.end)])
    if size_of(body) > most_bytes:
        raise LimitError(
            f"the answer would have {body.size:,} bytes, and this server gives {most_bytes:,}: ask for fewer points or "
            "shots, measure fewer clbits, or submit a job",
            limit="max_result_bytes",
            requested=body.size,
            allowed=most_bytes,
        )
    parse_s, build_s, run_s = (sum(seconds) for seconds in zip(*[answer.stages for answer in answers], strict=True))
    return Answer(_OK, body, (parse_s, build_s, run_s))
