from __future__ import annotations

import contextlib
import errno
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.errors import JobStoreError, StorageFull
from gateway.execution import answers
from gateway.execution.answers import (
    AnswerReader,
    Ending,
    Kind,
    OutOfTurnError,
    read_task,
    write_answer,
    write_started,
)
from gateway.execution.content import IN_MEMORY_BYTES, FileContent, PartsContent, whole
from gateway.execution.runner import Answer

Pipe = tuple[socket.socket, socket.socket]


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def soon(seconds: float = 30) -> Ending:
    return Ending(time.monotonic() + seconds)


def write_to_nobody(pipe: socket.socket, answer: Answer) -> None:
    with contextlib.suppress(OSError):
        write_answer(pipe, 1, answer)


@pytest.mark.parametrize("size", [0, 1, 65_488, 65_489, 65_490, IN_MEMORY_BYTES, IN_MEMORY_BYTES + 1, 5_000_000])
def test_answers_of_every_size_arrive_as_they_were_sent(pipe: Pipe, size: int):
    ours, theirs = pipe
    answer = Answer(200, os.urandom(size), (0.25, 0.5, 1e-9))
    reader = AnswerReader(ours, lambda: False)
    for number, sent in enumerate((answer, Answer(0, b""))):  # one at a time: a worker answers what it is asked
        sending = threading.Thread(target=write_answer, args=(theirs, number, sent))
        sending.start()
        received = reader.read(number, soon())
        sending.join()
        assert isinstance(received.body, bytes) is (len(sent.body) <= IN_MEMORY_BYTES)
        assert received._replace(body=whole(received.body)) == sent
    assert reader.is_silent


@pytest.mark.parametrize("size", [0, IN_MEMORY_BYTES, IN_MEMORY_BYTES + 1, 5_000_000])
def test_a_large_answer_is_handed_over_in_a_file(pipe: Pipe, tmp_path: Path, size: int):
    ours, theirs = pipe
    made: list[FileContent] = []

    def keep() -> FileContent:
        made.append(FileContent(tmp_path))
        return made[-1]

    parts = [os.urandom(size // 3), memoryview(os.urandom(size - size // 3))]
    answer = Answer(200, PartsContent(parts), (0.25, 0.5, 0.75))
    reader = AnswerReader(ours, lambda: False)
    sending = threading.Thread(target=write_answer, args=(theirs, 7, answer, Kind.LAST_ANSWER, keep))
    sending.start()
    received = reader.read(7, soon())
    sending.join()
    assert len(made) == (size > IN_MEMORY_BYTES)
    assert isinstance(received.body, FileContent if made else bytes)
    assert (received.status, received.stages, reader.is_over) == (200, answer.stages, True)
    assert whole(received.body) == b"".join(parts)
    assert reader.is_silent
    for file in made:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(file.fileno())  # the worker has closed its own


def test_an_answer_whose_file_the_worker_cannot_write_goes_through_the_pipe(pipe: Pipe):
    ours, theirs = pipe
    body = os.urandom(5_000_000)

    def keep() -> FileContent:
        raise OSError(errno.ENOSPC, "no space")

    sending = threading.Thread(target=write_answer, args=(theirs, 1, Answer(200, body), Kind.ANSWER, keep))
    sending.start()
    assert whole(AnswerReader(ours, lambda: False).read(1, soon()).body) == body
    sending.join()


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize("what", ["nothing", "a pipe", "a file of another size", "two files"])
def test_a_frame_without_its_file_is_out_of_turn_and_leaves_nothing_open(pipe: Pipe, tmp_path: Path, what: str):
    ours, theirs = pipe
    content = FileContent(tmp_path)
    content.append(bytes(10 if what == "two files" else 9))
    ends = os.pipe()
    sent = {"nothing": [], "a pipe": [ends[0]], "a file of another size": [content.fileno()]}
    head = answers._HEAD.pack(b"gw\x01\xfe", Kind.ANSWER | 0x80, 200, 1, 10, 0, 0, 0)
    reader = AnswerReader(ours, lambda: False)
    before = descriptors()
    socket.send_fds(theirs, [head], sent.get(what, [content.fileno()] * 2))
    if what == "two files":  # there is room for the first
        assert whole(reader.read(1, soon()).body) == bytes(10)
    else:
        with pytest.raises(OutOfTurnError, match="an answer came without its file"):
            reader.read(1, soon())
    assert descriptors() == before
    os.close(ends[0])
    os.close(ends[1])


def test_files_that_nobody_asked_for_are_closed(pipe: Pipe, tmp_path: Path):
    ours, theirs = pipe
    content = FileContent(tmp_path)
    reader = AnswerReader(ours, lambda: False)
    before = descriptors()
    for number in range(20):
        head = answers._HEAD.pack(b"gw\x01\xfe", Kind.ANSWER, 200, number, 2, 0, 0, 0)
        socket.send_fds(theirs, [head, b"ok"], [content.fileno()] * 3)
        assert reader.read(number, soon()).body == b"ok"
    assert descriptors() <= before + 1
    del reader
    assert descriptors() == before


def test_a_large_problem_is_bytes(pipe: Pipe):
    ours, theirs = pipe
    sent = Answer(500, b"x" * (IN_MEMORY_BYTES + 1))
    threading.Thread(target=write_answer, args=(theirs, 1, sent)).start()
    assert AnswerReader(ours, lambda: False).read(1, soon()) == sent


def test_tasks_of_every_size_arrive_as_they_were_sent(pipe: Pipe):
    ours, theirs = pipe
    for number, size in enumerate((0, 1, 3_000_000)):
        task = os.urandom(size)
        sending = threading.Thread(target=AnswerReader(ours, lambda: False).send, args=(number, task, soon()))
        sending.start()
        assert read_task(theirs) == (number, task)
        sending.join()


def test_a_task_that_nobody_takes_ends_at_its_deadline_by_a_cancel_and_with_the_process(pipe: Pipe):
    ours, _theirs = pipe
    large = b"x" * 5_000_000
    with pytest.raises(TimeoutError):
        AnswerReader(ours, lambda: False).send(1, large, soon(0.05))
    with pytest.raises(InterruptedError):
        AnswerReader(ours, lambda: False).send(1, large, Ending(time.monotonic() + 60, lambda: True))
    with pytest.raises(EOFError):
        AnswerReader(ours, lambda: True).send(1, large, soon())


def test_an_answer_that_does_not_come_in_time_is_a_timeout(pipe: Pipe):
    with pytest.raises(TimeoutError):
        AnswerReader(pipe[0], lambda: False).read(1, soon(0.05))


def test_a_deadline_holds_for_an_answer_that_never_stops_coming(pipe: Pipe):
    ours, theirs = pipe
    theirs.sendall(answers._HEAD.pack(answers._MAGIC, 1, 200, 1, 2**60, 0, 0, 0))
    over = threading.Event()

    def drip() -> None:
        while not over.wait(0.001):
            theirs.sendall(b"x")

    dripping = threading.Thread(target=drip)
    dripping.start()
    with pytest.raises(TimeoutError):
        AnswerReader(ours, lambda: False).read(1, soon(0.3))
    over.set()
    dripping.join()


def test_a_cancel_ends_the_wait_for_an_answer(pipe: Pipe):
    with pytest.raises(InterruptedError):
        AnswerReader(pipe[0], lambda: False).read(1, Ending(time.monotonic() + 60, lambda: True))


def test_a_process_that_ended_is_the_end_although_a_child_of_its_own_holds_the_pipe(pipe: Pipe):
    with pytest.raises(EOFError):
        AnswerReader(pipe[0], lambda: True).read(1, soon())


def test_an_answer_that_breaks_off_is_the_end(pipe: Pipe):
    ours, theirs = pipe
    theirs.sendall(answers._MAGIC + b"\0" * 10)
    theirs.close()
    with pytest.raises(EOFError):
        AnswerReader(ours, lambda: False).read(1, soon())


def test_the_answer_of_another_run_is_never_taken(pipe: Pipe):
    ours, theirs = pipe
    write_answer(theirs, 6, Answer(200, b"old"))
    with pytest.raises(OutOfTurnError, match="of another run"):
        AnswerReader(ours, lambda: False).read(7, soon())


@pytest.mark.parametrize("garbage", [b"A" * 8, b"\0" * 100, answers._HEAD.pack(answers._MAGIC, 9, 0, 7, 0, 0, 0, 0)])
def test_what_is_no_answer_is_never_taken(pipe: Pipe, garbage: bytes):
    ours, theirs = pipe
    theirs.sendall(garbage)
    write_answer(theirs, 7, Answer(200, b"{}"))
    with pytest.raises(OutOfTurnError):
        AnswerReader(ours, lambda: False).read(7, soon())


def test_a_second_answer_is_noticed_at_once_or_before_the_next_task(pipe: Pipe):
    ours, theirs = pipe
    reader = AnswerReader(ours, lambda: False)
    write_answer(theirs, 1, Answer(200, b"first"))
    assert reader.is_silent is False
    assert reader.read(1, soon()).body == b"first"
    assert reader.is_silent
    write_answer(theirs, 1, Answer(200, b"second"))
    assert not reader.is_silent
    write_answer(theirs, 2, Answer(200, b"third"))
    with pytest.raises(OutOfTurnError):
        reader.read(2, soon())


def test_a_closed_pipe_is_not_silent(pipe: Pipe):
    pipe[1].close()
    assert not AnswerReader(pipe[0], lambda: False).is_silent


def test_what_a_task_starts_is_known_before_its_answer(pipe: Pipe):
    ours, theirs = pipe
    reader = AnswerReader(ours, lambda: False)
    write_started(theirs, 3, "job-ä")
    write_started(theirs, 3, "job-2")
    with pytest.raises(TimeoutError):
        reader.read(3, soon(0.2))
    assert reader.started == ["job-ä", "job-2"]


def test_an_answer_for_which_there_is_no_room_says_so(pipe: Pipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    ours, theirs = pipe
    large = Answer(200, b"x" * (IN_MEMORY_BYTES + 1))
    threading.Thread(target=write_to_nobody, args=(theirs, large), daemon=True).start()
    with pytest.raises(JobStoreError, match="the answer of 1,048,577 bytes could not be kept: No such file"):
        AnswerReader(ours, lambda: False, tmp_path / "absent").read(1, soon())

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gateway.execution.content.os.pwrite", full)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        threading.Thread(target=write_to_nobody, args=(theirs, large), daemon=True).start()
        with pytest.raises(StorageFull, match="No space left on device"):
            AnswerReader(ours, lambda: False).read(1, soon())
