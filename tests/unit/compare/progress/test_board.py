"""The board knows of each simulator what the events said, over all circuits."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.compare.progress import Event, Stage
from gateway.compare.progress.board import Board


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def event(simulator: str, stage: Stage, circuit: str = "a", **fields: Any) -> Event:
    return Event(simulator=simulator, circuit=circuit, stage=stage, **fields)


def test_all_wait_at_first(clock):
    view = Board(["cirq", "mqt"], ["a"], clock).view()
    assert [(line.simulator, line.stage, line.share) for line in view.lines] == [
        ("cirq", Stage.QUEUED, None),
        ("mqt", Stage.QUEUED, None),
    ]
    assert (view.finished, view.simulators, view.left_s) == (0, 2, None)


def test_who_runs_has_a_share_and_seconds_that_go_on(clock):
    board = Board(["cirq"], ["a"], clock)
    board.update(event("cirq", Stage.RUNNING, done=31, total=50, seconds=2.0))
    clock.now += 1.5
    (line,) = board.view().lines
    assert (line.stage, line.share, line.seconds) == (Stage.RUNNING, 0.62, 3.5)


def test_the_seconds_of_who_has_finished_stand(clock):
    board = Board(["cirq", "mqt"], ["a"], clock)
    board.update(event("cirq", Stage.FINISHED, seconds=3.0))
    clock.now += 3
    view = board.view()
    assert (view.lines[0].seconds, view.finished, view.share) == (3.0, 1, 0.5)
    assert view.left_s == pytest.approx(3.0)


def test_with_several_circuits_who_has_run_one_waits_for_the_next(clock):
    board = Board(["cirq"], ["a", "b"], clock)
    board.update(event("cirq", Stage.FINISHED, "a", seconds=3.0))
    assert (board.view().lines[0].stage, board.view().finished) == (Stage.QUEUED, 0)
    board.update(event("cirq", Stage.RUNNING, "b", done=1, total=2, seconds=1.0))
    (line,) = board.view().lines
    assert (line.share, line.seconds) == (0.75, 4.0)
    board.update(event("cirq", Stage.FINISHED, "b", seconds=2.0))
    assert (board.view().lines[0].stage, board.view().lines[0].seconds) == (Stage.FINISHED, 5.0)


def test_who_failed_on_one_circuit_has_failed(clock):
    board = Board(["cirq"], ["a", "b"], clock)
    board.update(event("cirq", Stage.FAILED, "a"))
    board.update(event("cirq", Stage.FINISHED, "b"))
    assert board.view().lines[0].stage is Stage.FAILED


def test_the_work_on_the_results_has_a_line_until_simulators_run_again(clock):
    board = Board(["cirq"], ["a", "b"], clock)
    board.update(event("", Stage.REDUCING, done=1, total=4))
    assert [(line.simulator, line.stage, line.share) for line in board.view().lines[1:]] == [("", Stage.REDUCING, 0.25)]
    board.update(event("cirq", Stage.RUNNING, "b"))
    assert len(board.view().lines) == 1


def test_more_than_everything_is_everything(clock):
    board = Board(["cirq"], ["a"], clock)
    board.update(event("cirq", Stage.RUNNING, done=7, total=5))
    assert board.view().lines[0].share == 1.0


def test_a_simulator_that_nobody_announced_gets_a_line(clock):
    board = Board([], [], clock)
    board.update(event("late", Stage.RUNNING))
    assert [line.simulator for line in board.view().lines] == ["late"]
