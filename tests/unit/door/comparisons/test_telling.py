"""How far a comparison is, and what it amounts to, as the door hears it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from types import SimpleNamespace

import msgspec
import pytest
from support.circuits import bell
from support.faulty import Right, faulty
from support.waiting import wait_until

from gateway.compare import compare
from gateway.compare.comparison import Comparison
from gateway.compare.progress import Event, Stage
from gateway.compare.progress.board import Board
from gateway.compare.record import Verdict
from gateway.door.comparisons.channel import Channel, Kind, Said
from gateway.door.comparisons.kept import Kept
from gateway.door.comparisons.telling import Telling, outcome, partial_outcome, progress_of
from gateway.errors import LimitError, SimulatorError, UnsupportedError

MOST = 10**7
QUIET = {"shots": 1000, "seed": 7, "progress": None, "reproduce": False}


class Fails(Right):
    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def send(self, request: object) -> list:
        raise self.error


@pytest.fixture(scope="module")
def agreeing() -> Comparison:
    return compare(bell(), {"a": Right(), "b": Right()}, **QUIET)


def test_the_progress_of_simulators_and_of_the_work_on_their_results_are_told_apart():
    now = [0.0]
    board = Board(["a", "b"], ["c"], clock=lambda: now[0])
    board.update(Event(simulator="a", circuit="c", stage=Stage.RUNNING, done=1, total=4))
    now[0] = 2.0
    progress = progress_of(board.view(), 0)
    assert [(line.simulator, line.stage, line.share, line.seconds) for line in progress.lines] == [
        ("a", "running", 0.25, 2.0), ("b", "queued", None, 0.0),
    ]  # fmt: skip
    assert (progress.stage, progress.finished, progress.sentence) == ("", 0, "")
    for name in "ab":
        board.update(Event(simulator=name, circuit="c", stage=Stage.FINISHED, seconds=2.0))
    board.update(Event(circuit="c", stage=Stage.DIAGNOSING))
    board.say("Something.")
    progress = progress_of(board.view(), 2)
    assert (progress.stage, progress.finished, progress.results) == ("diagnosing", 2, 2)
    assert (len(progress.lines), progress.sentence) == (2, "Something.")


def test_an_outcome_has_the_record_and_what_a_list_says_of_it(agreeing: Comparison):
    found = outcome(agreeing, MOST)
    text = Kept(found.record, found.size).text()
    assert msgspec.json.decode(text, type=Comparison) == agreeing
    assert text.count(b"\n") > 10, "it is written as it is saved"
    assert (found.loud + found.quiet, found.standing) == (agreeing.verdict, "agrees")
    assert (found.interrupted, found.results) == (False, 2)


@pytest.mark.parametrize(
    ("backend", "standing"),
    [
        (faulty("bits-reversed"), "agrees"),
        (faulty("uneven", exact=False), "differs"),
        (Fails(SimulatorError("broken")), "failed"),
        (Fails(UnsupportedError("no such gate")), "agrees"),
    ],
)
def test_what_a_comparison_amounts_to_is_one_word(backend: Right, standing: str):
    record = compare(bell(), {"a": Right(), "b": backend}, **QUIET)
    assert outcome(record, MOST).standing == standing


def test_if_nobody_can_run_it_the_comparison_failed():
    record = compare(bell(), {"a": Fails(UnsupportedError("no such gate"))}, **QUIET)
    assert outcome(record, MOST).standing == "failed"


def test_what_was_cut_off_says_nothing_of_anybody(agreeing: Comparison):
    rows = [msgspec.structs.replace(row, verdict=Verdict.FINISHED) for row in agreeing.cases[0].rows]
    case = msgspec.structs.replace(agreeing.cases[0], rows=tuple(rows))
    found = partial_outcome(msgspec.structs.replace(agreeing, cases=(case,)), 4, MOST)
    assert (found.loud, found.quiet) == ("2 of 4 runs had finished;", " nothing was compared.")
    assert (found.standing, found.interrupted, found.results) == ("undecided", True, 2)
    assert msgspec.json.decode(Kept(found.record, found.size).text(), type=Comparison).interrupted


def test_a_record_that_is_too_large_is_refused_with_both_sizes(agreeing: Comparison):
    with pytest.raises(LimitError, match="and at most 100 are kept") as caught:
        outcome(agreeing, 100)
    assert caught.value.allowed == 100
    assert caught.value.requested is not None
    assert caught.value.requested > 100


@pytest.fixture
def pipe() -> Iterator[tuple[Channel, Channel]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Channel(ours), Channel(theirs)


def test_everything_that_happens_is_told_and_partial_results_come_along(pipe: tuple[Channel, Channel]):
    ours, theirs = pipe
    telling = Telling(theirs, MOST)
    comparison = compare(bell(), {"a": Right(), "b": Right()}, **QUIET | {"progress": telling})
    assert comparison.all_agree
    wait_until(lambda: not telling._thread.is_alive(), "the thread that tells to end")
    theirs.send(Kind.ENDED)
    told = []
    while (frame := ours.receive())[0] is Kind.PROGRESS:
        told.append(msgspec.msgpack.decode(frame[1], type=Said))
    assert told
    assert [line.simulator for line in told[-1].progress.lines] == ["a", "b"]
    cut_off = telling.cut_off()
    assert cut_off is not None
    assert cut_off.results == 2


def test_what_takes_long_to_write_is_written_seldom(
    pipe: tuple[Channel, Channel], agreeing: Comparison, monkeypatch: pytest.MonkeyPatch
):
    now = [1.0]
    monkeypatch.setattr("gateway.door.comparisons.telling.time", SimpleNamespace(monotonic=lambda: now[0]))
    telling = Telling(pipe[0], MOST)

    def so_far() -> Comparison:
        now[0] += 2
        return agreeing

    def is_told_after(seconds: float) -> bool:
        now[0] += seconds
        telling.partial(so_far)
        return telling._said().partial is not None

    assert [is_told_after(seconds) for seconds in (0, 1, 16.9, 0.2, 17.9, 0.2)] == [
        True, False, False, True, False, True,
    ]  # fmt: skip


def test_a_door_that_has_ended_is_no_error(pipe: tuple[Channel, Channel]):
    ours, theirs = pipe
    ours._pipe.close()
    telling = Telling(theirs, MOST)
    compare(bell(), {"a": Right()}, **QUIET | {"progress": telling})
    wait_until(lambda: not telling._thread.is_alive(), "the thread that tells to end")
