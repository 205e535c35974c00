"""Turns the records of the store into the JobInfo that a caller receives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import msgspec

from gateway.execution.content import Content, whole
from gateway.execution.runner import BEGINNING, END
from gateway.jobs.clock import moment
from gateway.jobs.joined import Joined, Part, part
from gateway.jobs.store import JobRecord, StoredAnswer, Summary
from gateway.protocol.messages import JobInfo, JobProgress, RawResponse, decode, encode

_OK = 200


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
    record: JobRecord, answers: list[StoredAnswer | None], on_sent: Callable[[], None] = lambda: None
) -> Joined:
    """Return the JobInfo of a job that has ended, in JSON, with a result or ``null`` for each circuit.

    The results are as the workers wrote them, and are read only while they are sent.

    Args:
        record: what the store keeps of the job.
        answers: the answers of its circuits.
        on_sent: called when all of it has been sent.
    """
    head = encode(describe(record, len(answers) - answers.count(None)))
    parts = [part(head, leave=1), part(b',"results":['), *_separated(map(_result, answers)), part(b"]")]
    problems = [
        _problem(answer.body, position, is_list=record.is_list)
        for position, answer in enumerate(answers)
        if answer is not None and answer.status != _OK
    ]
    if problems:
        parts += [part(b',"errors":['), *_separated(problems), part(b"]")]
    return Joined([*parts, part(b"}")], on_sent)


def answer_of_circuit(record: JobRecord, position: int, answer: StoredAnswer, on_sent: Callable[[], None]) -> Joined:
    """Return what one circuit was answered: a RunResponse with one result, or its problem."""
    if answer.status == _OK:
        return Joined([part(answer.body)], on_sent)
    return Joined(_problem(answer.body, position, is_list=record.is_list), on_sent)


def _separated(items: Iterable[list[Part]]) -> Iterator[Part]:
    comma = part(b",")
    for k, item in enumerate(items):
        if k:
            yield comma
        yield from item


def _result(answer: StoredAnswer | None) -> list[Part]:
    if answer is None or answer.status != _OK:
        return [part(b"null")]
    if isinstance(answer.body, bytes) and not _is_framed(answer.body):
        return list(_separated([part(bytes(raw))] for raw in decode(RawResponse, answer.body).results))
    return [part(answer.body, skip=len(BEGINNING), leave=len(END))]


def _is_framed(body: bytes) -> bool:
    return body.startswith(BEGINNING + b"{") and body.endswith(b"}" + END)


def _problem(body: Content, position: int, *, is_list: bool) -> list[Part]:
    """Return a problem document, with the number of its circuit added if the request had a list."""
    if not is_list:
        return [part(body)]
    return [part(body, leave=1), part(b', "circuit": %d}' % position)]


def first_detail(answer: StoredAnswer) -> str:
    """Return the sentence of a problem document."""
    return str(msgspec.json.decode(whole(answer.body))["detail"])
