"""Turns the records of the store into the JobInfo that a caller receives."""

from __future__ import annotations

import msgspec

from gateway.jobs.clock import moment
from gateway.jobs.store import JobRecord, StoredAnswer
from gateway.protocol import problem
from gateway.protocol.messages import JobProgress, RawResponse, SentJob, decode

_OK = 200


def describe(record: JobRecord, done: int) -> SentJob:
    """Return the state and the progress of a job, without results.

    Args:
        record: what the store keeps of the job.
        done: number of its circuits that have an answer.
    """
    created = moment(record.created)
    assert created is not None  # noqa: S101 - every record has it
    return SentJob(
        id=record.id,
        state=record.state,
        is_list=record.is_list,
        progress=JobProgress(done, record.total),
        created_at=created,
        started_at=moment(record.started),
        ended_at=moment(record.ended),
    )


def describe_ended(record: JobRecord, answers: list[StoredAnswer | None]) -> SentJob:
    """Return a job that has ended, with the answers of its circuits."""
    results, errors = _outcome(answers, is_list=record.is_list)
    done = len(answers) - answers.count(None)
    return msgspec.structs.replace(describe(record, done), results=results, errors=errors or None)


def _outcome(
    answers: list[StoredAnswer | None], *, is_list: bool
) -> tuple[list[msgspec.Raw | None], list[msgspec.Raw]]:
    """Return a result or ``None`` for each circuit, and the problems, each with the number of its circuit."""
    results: list[msgspec.Raw | None] = []
    errors: list[msgspec.Raw] = []
    for position, answer in enumerate(answers):
        if answer is not None and answer.status == _OK:
            results += decode(RawResponse, answer.body).results
            continue
        results.append(None)
        if answer is not None:
            errors.append(msgspec.Raw(problem.about(answer.body, position) if is_list else answer.body))
    return results, errors
