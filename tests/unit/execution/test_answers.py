from __future__ import annotations

import os
import threading
from multiprocessing import Pipe

import pytest

from gateway.execution.answers import AnswerReader, write_answer
from gateway.execution.runner import Answer


@pytest.mark.parametrize("size", [0, 1, 65_495, 65_496, 65_497, 200_000, 5_000_000])
def test_answers_of_every_size_arrive_as_they_were_sent(size: int):
    ours, theirs = Pipe()
    answer = Answer(207, os.urandom(size), (0.25, 0.5, 1e-9))
    with ours, theirs:
        reader = AnswerReader(ours, lambda: False)
        for sent in (answer, Answer(0, b"")):  # one at a time: a worker answers what it is asked
            sending = threading.Thread(target=write_answer, args=(theirs, sent))
            sending.start()
            assert reader.read(10) == sent
            sending.join()


def test_an_answer_that_does_not_come_in_time_is_a_timeout():
    ours, theirs = Pipe()
    with ours, theirs, pytest.raises(TimeoutError):
        AnswerReader(ours, lambda: False).read(0.05)


def test_a_process_that_ended_is_the_end_although_a_child_of_its_own_holds_the_pipe():
    ours, theirs = Pipe()
    with ours, theirs, pytest.raises(EOFError):
        AnswerReader(ours, lambda: True).read(60)


def test_an_answer_that_breaks_off_is_the_end():
    ours, theirs = Pipe()
    with ours:
        os.write(theirs.fileno(), b"\0" * 20)
        theirs.close()
        with pytest.raises(EOFError):
            AnswerReader(ours, lambda: False).read(10)
