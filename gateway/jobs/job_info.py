"""Turns the records of the store into the JobInfo that a caller receives."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from gateway.execution.content import Content, whole
from gateway.jobs.clock import moment
from gateway.jobs.joined import Joined, Part, part
from gateway.jobs.recoding import Recoder
from gateway.jobs.store import JobRecord, StoredAnswer, Summary
from gateway.protocol.encodings import Encoding, recoded
from gateway.protocol.frames import Frame, frame, head_of_list
from gateway.protocol.messages import JobInfo, JobProgress, RawResponse, decode, encode

_OK = 200
_NIL = b"\xc0"
"""Nothing, in MessagePack."""


def describe(record: JobRecord, done: int) -> JobInfo:
    """Return the state and the progress of a job, without results.

    Args:
        record: what the store keeps of the job.
        done: number of its circuits that have an answer.
    """
    created = moment(record.created)
    assert created is not None  # noqa: S101 - every record has it
    return JobInfo(
        id=record.id,
        state=record.state,
        is_list=record.is_list,
        progress=JobProgress(done, record.total),
        created_at=created,
        started_at=moment(record.started),
        ended_at=moment(record.ended),
    )


def describe_ended(record: JobRecord, summary: Summary) -> JobInfo:
    """Return a job that has ended, with the sizes of its results in their place."""
    return msgspec.structs.replace(describe(record, summary.done), result_bytes=summary.size, failures=summary.failures)


def with_results(
    record: JobRecord,
    answers: list[StoredAnswer | None],
    recoder: Recoder | None = None,
    on_sent: Callable[[], None] = lambda: None,
) -> Joined:
    """Return the JobInfo of a job that has ended, with a result or ``null`` for each circuit.

    The results are as the workers wrote them, and are read only while they are sent.

    Args:
        record: what the store keeps of the job.
        answers: the answers of its circuits.
        recoder: writes results as JSON that are kept in MessagePack, if the reader wants that.
        on_sent: called when all of it has been sent.
    """
    compose = _packed if record.encoding is Encoding.MSGPACK and recoder is None else _json
    problems = [
        _problem(answer.body, position, is_list=record.is_list)
        for position, answer in enumerate(answers)
        if answer is not None and answer.status != _OK
    ]
    results = [_result(answer, record.encoding, recoder) for answer in answers]
    return Joined(compose(describe(record, len(answers) - answers.count(None)), results, problems), on_sent)


def answers_of_circuits(
    record: JobRecord,
    position: int,
    answers: Sequence[StoredAnswer],
    recoder: Recoder | None = None,
    on_sent: Callable[[], None] = lambda: None,
) -> Joined:
    """Return what circuits were answered: a RunResponse with their results, or the problem of the only one.

    Args:
        record: what the store keeps of the job.
        position: the number of the first of these circuits.
        answers: their answers; where there are several, each is a result.
        recoder: as in :func:`with_results`.
        on_sent: called when all of it has been sent.
    """
    if answers[0].status != _OK:
        return Joined(_problem(answers[0].body, position, is_list=record.is_list), on_sent)
    encoding = record.encoding if recoder is None else Encoding.JSON
    around = frame(len(answers), encoding)
    results = [_result(answer, record.encoding, recoder) for answer in answers]
    parts = _separated(results, b"") if around.separator else itertools.chain.from_iterable(results)
    return Joined([part(around.beginning), *parts, part(around.end)], on_sent)


def _json(info: JobInfo, results: list[list[Part]], problems: list[list[Part]]) -> list[Part]:
    """Return a JobInfo in JSON with results, as parts; ``None`` where there is no result."""
    parts = [part(encode(info), leave=1), part(b',"results":['), *_separated(results, b"null"), part(b"]")]
    if problems:
        parts += [part(b',"errors":['), *_separated(problems, b""), part(b"]")]
    return [*parts, part(b"}")]


def _packed(info: JobInfo, results: list[list[Part]], problems: list[list[Part]]) -> list[Part]:
    """Return the same in MessagePack: a map with more entries than the JobInfo without results has."""
    head = encode(info, Encoding.MSGPACK)
    lists = [("results", [result or [part(_NIL)] for result in results])]
    if problems:
        lists.append(("errors", [[part(recoded(whole(Joined(problem))))] for problem in problems]))
    parts = [part(bytes([head[0] + len(lists)]) + head[1:])]  # the first byte of a map of up to 15 entries
    for name, items in lists:
        parts += [
            part(encode(name, Encoding.MSGPACK) + head_of_list(len(items))),
            *itertools.chain.from_iterable(items),
        ]
    return parts


def _separated(items: Iterable[list[Part]], nothing: bytes) -> Iterator[Part]:
    comma = part(b",")
    for k, item in enumerate(items):
        if k:
            yield comma
        yield from item or [part(nothing)]


def _result(answer: StoredAnswer | None, encoding: Encoding, recoder: Recoder | None) -> list[Part]:
    """Return the result in an answer, an empty list if there is none."""
    if answer is None or answer.status != _OK:
        return []
    if recoder is not None:
        return [recoder.result(answer.body)]
    around = frame(1, encoding)
    if encoding is Encoding.JSON and isinstance(answer.body, bytes) and not _is_framed(answer.body, around):
        return list(_separated([[part(bytes(raw))] for raw in decode(RawResponse, answer.body).results], b""))
    return [part(answer.body, skip=len(around.beginning), leave=len(around.end))]


def _is_framed(body: bytes, around: Frame) -> bool:
    return body.startswith(around.beginning + b"{") and body.endswith(b"}" + around.end)


def _problem(body: Content, position: int, *, is_list: bool) -> list[Part]:
    """Return a problem document, with the number of its circuit added if the request had a list."""
    if not is_list:
        return [part(body)]
    return [part(body, leave=1), part(b', "circuit": %d}' % position)]


def first_detail(answer: StoredAnswer) -> str:
    """Return the sentence of a problem document."""
    return str(msgspec.json.decode(whole(answer.body))["detail"])
