"""Comparisons that a door keeps: each runs in a process that may be killed, and each ends, whatever happens."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest
from support.comparisons import ME, Fakes, comparisons_of, ended, latest, request
from support.fake import Does
from support.raw import alive, descendants
from support.waiting import wait_until

from gateway.door.comparisons.address import SimulatorAddress
from gateway.door.comparisons.kept import Kept
from gateway.door.comparisons.manager import Comparisons
from gateway.door.comparisons.processes import ENTRY, MODULE, start_process
from gateway.door.comparisons.store import ComparisonStore
from gateway.errors import (
    BusyError,
    CircuitSyntaxError,
    IdempotencyConflict,
    JobNotFound,
    JobStoreError,
    JobTimeout,
    LimitError,
    RequestError,
    ResultNotFound,
    UnsupportedError,
)
from gateway.execution.worker_process import ForkServer
from gateway.jobs.manager import Caller
from gateway.noise import NoiseModel
from gateway.protocol.door import ComparisonInfo, ComparisonRequest, ComparisonState, NamedText
from gateway.rights import Right

QUEUED, RUNNING, FINISHED, FAILED, CANCELLED = ComparisonState
ENDLESS = "OPENQASM 3; qubit q; bit c; for uint i in [1:1000] { for uint j in [1:900] { x q; } } c = measure q;"
"""Takes seconds to read."""


@pytest.fixture(scope="module")
def fakes() -> Iterator[Fakes]:
    servers = Fakes("fast", "slow", workers=4)
    yield servers
    servers.stop()


@pytest.fixture
def comparisons(fakes: Fakes, tmp_path: Path) -> Iterator[Comparisons]:
    with comparisons_of(tmp_path / "comparisons.sqlite", lambda: fakes.addresses, end_within_s=10.0) as running:
        yield running
        fakes.let_go()


# ---------------------------------------------------------------------- running


def test_a_comparison_runs_and_its_record_is_kept(comparisons: Comparisons):
    accepted = comparisons.submit(request(Does.ECHO, Does.ECHO), ME)
    assert (accepted.state, accepted.simulators, accepted.has_record) == (QUEUED, ("fast", "slow"), False)
    assert accepted.summary == "2 circuits, up to 1 qubit, 4 operations"
    info = ended(comparisons, accepted)
    assert (info.state, info.standing, info.verdict) == (FINISHED, "agrees", "".join(info.told))
    assert info.verdict.startswith("Both agree on both circuits.")
    assert info.started is not None
    assert info.ended is not None
    assert info.created <= info.started <= info.ended
    record = latest(comparisons, info.id)
    assert record is not None
    assert record.all_agree
    assert [case.name for case in record.cases] == ["circuit 1", "circuit 2"]
    saved = msgspec.json.format(msgspec.json.encode(record), indent=1)
    assert comparisons.record(info.id, ME).text() == saved, "as it is saved"
    again = msgspec.json.decode(comparisons.request(info.id, ME), type=ComparisonRequest)
    assert again == request(Does.ECHO, Does.ECHO)
    assert comparisons.page(ME).comparisons == (info,)


def test_those_who_watch_hear_of_the_state_now_of_changes_and_of_the_end_last(comparisons: Comparisons, fakes: Fakes):
    heard: list[list[ComparisonInfo]] = [[] for _ in range(300)]
    accepted = comparisons.submit(request(Does.ECHO, Does.WAIT), ME)
    for infos in heard:
        comparisons.subscribe(accepted.id, ME, infos.append)
    left: list[ComparisonInfo] = []
    leaver = comparisons.subscribe(accepted.id, ME, left.append)
    fakes.wait_until_doing(Does.WAIT)
    wait_until(lambda: heard[0][-1].progress and heard[0][-1].progress.results == 2, "partial results to be told")
    progress = heard[0][-1].progress
    assert progress is not None
    assert [line.simulator for line in progress.lines] == ["fast", "slow"]
    assert progress.sentence == ""
    partial = latest(comparisons, accepted.id)
    assert partial is not None
    assert [row.verdict for row in partial.rows[:2]] == ["finished", "finished"]
    with pytest.raises(ResultNotFound, match="is running, and has no record yet"):
        comparisons.record(accepted.id, ME)
    leaver.close()
    told = len(left)
    _let_go_until_ended(comparisons, fakes, accepted)
    wait_until(lambda: all(infos[-1].state is FINISHED for infos in heard), "everybody to hear of the end")
    assert [info.state.is_final for info in heard[0]].count(True) == 1
    assert len(left) == told
    late: list[ComparisonInfo] = []
    comparisons.subscribe(accepted.id, ME, late.append)
    assert late == [heard[0][-1]], "who comes later hears of the end at once"


def _let_go_until_ended(comparisons: Comparisons, fakes: Fakes, info: ComparisonInfo) -> ComparisonInfo:
    def has_ended() -> bool:
        fakes.let_go()
        return comparisons.info(info.id, ME).state.is_final

    wait_until(has_ended, "the end of a comparison whose runs are let go")
    return comparisons.info(info.id, ME)


def test_a_listener_that_fails_costs_nobody_the_end(comparisons: Comparisons):
    accepted = comparisons.submit(request(Does.ECHO), ME)
    comparisons.subscribe(accepted.id, ME, lambda _: 1 / 0)
    heard: list[ComparisonInfo] = []
    comparisons.subscribe(accepted.id, ME, heard.append)
    assert ended(comparisons, accepted).state is FINISHED
    wait_until(lambda: heard[-1].state is FINISHED, "the other one to hear of the end")


def test_as_many_run_at_once_as_are_said_and_callers_take_turns(fakes: Fakes, tmp_path: Path):
    ada, bob = (Caller(name, name, None, frozenset({Right.COMPARE})) for name in ("ada", "bob"))
    with comparisons_of(tmp_path / "file", lambda: fakes.addresses, at_once=2) as comparisons:
        alone = request(Does.WAIT, simulators=("fast",))
        of_ada = [comparisons.submit(alone, ada) for _ in range(2)]
        fakes.wait_until_doing(Does.WAIT, 2)
        of_ada += [comparisons.submit(alone, ada) for _ in range(2)]
        of_bob = [comparisons.submit(alone, bob) for _ in range(2)]
        assert [comparisons.info(info.id, ada).state for info in of_ada] == [RUNNING, RUNNING, QUEUED, QUEUED]
        assert [comparisons.info(info.id, ada).before for info in of_ada[2:]] == [0, 2]
        assert [comparisons.info(info.id, bob).before for info in of_bob] == [1, 3]
        assert (comparisons.queued, comparisons.running) == (4, 2)
        for info in of_ada:
            comparisons.cancel(info.id, ada)
        for info in of_ada:
            assert ended(comparisons, info, ada).state is CANCELLED
        fakes.wait_until_doing(Does.WAIT, 2)
        assert [comparisons.info(info.id, bob).state for info in of_bob] == [RUNNING, RUNNING]


def test_a_thousand_are_accepted_and_all_end(fakes: Fakes, tmp_path: Path):
    one = request(Does.ECHO, simulators=("fast",))
    with comparisons_of(tmp_path / "file", lambda: fakes.addresses) as comparisons:
        blocking = [comparisons.submit(request(Does.WAIT), ME) for _ in range(2)]
        fakes.wait_until_doing(Does.WAIT, 2)
        infos = [comparisons.submit(one, ME) for _ in range(1000)]
        assert comparisons.info(infos[-1].id, ME).before == 999
        with pytest.raises(BusyError, match="1,000 comparisons wait") as caught:
            comparisons.submit(one, ME)
        assert caught.value.retry_after_s is not None
        other = comparisons.submit(one, Caller("", "10.0.0.7"))
        assert other.before == 1, "who has one waits for one turn"
        assert comparisons.page(ME).running == 1003
        for info in infos[10:]:
            assert comparisons.cancel(info.id, ME).state is CANCELLED
        for info in blocking:
            comparisons.cancel(info.id, ME)
        assert {ended(comparisons, info).state for info in [*infos[:10], other]} == {FINISHED}
        assert comparisons.page(ME).total == 1003
        assert comparisons.page(ME, "running").total == 0


# ---------------------------------------------------------------------- ends before the end


def test_one_that_is_cancelled_while_it_runs_keeps_what_has_finished(comparisons: Comparisons, fakes: Fakes):
    accepted = comparisons.submit(request(Does.ECHO, Does.WAIT), ME)
    fakes.wait_until_doing(Does.WAIT)
    info = comparisons.cancel(accepted.id, ME)
    assert (info.state, info.cancelled_by) == (RUNNING, "127.0.0.1")
    info = ended(comparisons, accepted)
    assert (info.state, info.cancelled_by, info.has_record) == (CANCELLED, "127.0.0.1", True)
    assert info.verdict.startswith("2 of 4 runs had finished;")
    record = latest(comparisons, info.id)
    assert record is not None
    assert record.interrupted
    assert [row.verdict for row in record.rows] == ["agrees", "agrees", "undecided", "undecided"]
    assert comparisons.cancel(accepted.id, Caller("", "somebody else")) == info, "nothing changes any more"
    wait_until(lambda: not fakes.doing(Does.WAIT), "the simulator to give up the run that nobody waits for")


def test_one_that_is_cancelled_before_it_runs_has_no_record(comparisons: Comparisons, fakes: Fakes):
    for _ in range(2):
        comparisons.submit(request(Does.WAIT), ME)
    fakes.wait_until_doing(Does.WAIT, 2)
    waiting = comparisons.submit(request(Does.ECHO), ME)
    heard: list[ComparisonInfo] = []
    comparisons.subscribe(waiting.id, ME, heard.append)
    info = comparisons.cancel(waiting.id, ME)
    assert (info.state, info.cancelled_by, info.started, info.has_record) == (CANCELLED, "127.0.0.1", None, False)
    assert heard[-1] == info
    with pytest.raises(ResultNotFound, match="the comparison is cancelled, and has no record"):
        comparisons.record(waiting.id, ME)


def test_one_that_takes_too_long_keeps_what_has_finished(fakes: Fakes, tmp_path: Path):
    with comparisons_of(tmp_path / "file", lambda: fakes.addresses, comparison_s=2.0) as comparisons:
        info = ended(comparisons, comparisons.submit(request(Does.ECHO, Does.WAIT), ME))
        assert (info.state, info.has_record, info.cancelled_by) == (FINISHED, True, "")
        assert info.verdict.startswith("2 of 4 runs had finished;")
        info = ended(comparisons, comparisons.submit(request(Does.WAIT), ME))
        assert (info.state, info.verdict) == (FINISHED, "Nothing had finished when it was interrupted.")


def test_a_process_that_does_not_listen_is_killed_and_what_it_had_told_is_kept(fakes: Fakes, tmp_path: Path):
    with comparisons_of(tmp_path / "file", lambda: fakes.addresses, end_within_s=0.5) as comparisons:
        accepted = comparisons.submit(request(Does.ECHO, Does.WAIT), ME)
        fakes.wait_until_doing(Does.WAIT)
        wait_until(lambda: _results(comparisons, accepted) == 2, "partial results of both")
        (process,) = _running_processes(comparisons)
        os.kill(process, signal.SIGSTOP)
        comparisons.cancel(accepted.id, ME)
        info = ended(comparisons, accepted)
        assert (info.state, info.standing, info.has_record) == (CANCELLED, "undecided", True)
        assert info.verdict == "2 of 4 runs had finished; nothing was compared."
        wait_until(lambda: not alive(process), "the end of its process")


def _results(comparisons: Comparisons, info: ComparisonInfo) -> int:
    progress = comparisons.info(info.id, ME).progress
    return 0 if progress is None else progress.results


def _running_processes(comparisons: Comparisons) -> set[int]:
    """Return the processes that run comparisons; those that check requests know nothing of any."""
    return {
        active._process.pid
        for active in comparisons._active.values()
        if active._process is not None and active._process.pid is not None
    }


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM])
def test_one_whose_process_is_killed_fails_with_a_sentence_and_the_next_one_runs(
    comparisons: Comparisons, fakes: Fakes, number: signal.Signals
):
    accepted = comparisons.submit(request(Does.WAIT), ME)
    fakes.wait_until_doing(Does.WAIT)
    (process,) = _running_processes(comparisons)
    os.kill(process, number)
    info = ended(comparisons, accepted)
    assert (info.state, info.has_record, info.standing) == (FAILED, False, "")
    assert info.error is not None
    assert f"the process of the comparison was ended by {number.name}" in info.error.detail
    with pytest.raises(ResultNotFound, match=f"is failed, and has no record: .*{number.name}"):
        comparisons.record(accepted.id, ME)
    assert comparisons.page(ME, "failed").comparisons == (info,)
    assert ended(comparisons, comparisons.submit(request(Does.ECHO), ME)).state is FINISHED


def test_a_simulator_that_is_down_is_a_row_that_says_so(fakes: Fakes, tmp_path: Path):
    gone = SimulatorAddress(url="http://127.0.0.1:9", reason="nobody answers")
    with comparisons_of(tmp_path / "file", lambda: {**fakes.addresses, "gone": gone}) as comparisons:
        info = ended(comparisons, comparisons.submit(request(Does.ECHO, simulators=("fast", "gone")), ME))
        record = latest(comparisons, info.id)
        assert record is not None
        assert (info.state, record.rows[0].verdict, record.rows[1].verdict) == (FINISHED, "agrees", "failed")
        assert "cannot reach http://127.0.0.1:9" in record.rows[1].error
        assert ended(comparisons, comparisons.submit(request(Does.ECHO), ME)).simulators == ("fast", "slow")


def test_a_simulator_that_the_door_has_lost_meanwhile_is_a_row_that_says_so(fakes: Fakes, tmp_path: Path):
    known = dict(fakes.addresses)
    with comparisons_of(tmp_path / "file", lambda: known, at_once=1) as comparisons:
        first = comparisons.submit(request(Does.WAIT), ME)
        fakes.wait_until_doing(Does.WAIT)
        second = comparisons.submit(request(Does.ECHO), ME)
        del known["slow"]
        comparisons.cancel(first.id, ME)
        record = latest(comparisons, ended(comparisons, second).id)
        assert record is not None
        assert record.rows[1].error == "TransportError: the door does not know slow any more"


# ---------------------------------------------------------------------- what is refused


def texts(*circuits: str) -> ComparisonRequest:
    return ComparisonRequest(circuits=tuple(NamedText(name=f"c{k}", openqasm=text) for k, text in enumerate(circuits)))


GOOD = "OPENQASM 3; qubit q; bit c; c = measure q;"
BAD = "OPENQASM 3;\nqubit q;\n  h q q;"


def test_a_request_with_a_mistake_is_refused_at_once(comparisons: Comparisons):
    with pytest.raises(CircuitSyntaxError, match="line 3, column 7: ") as caught:
        comparisons.submit(texts(BAD), ME)
    assert (caught.value.line, caught.value.column) == (3, 7)
    with pytest.raises(CircuitSyntaxError, match=r"line 3, column 7: .* \(in c1\)") as caught:
        comparisons.submit(texts(GOOD, BAD), ME)
    assert caught.value.circuit == 1
    twice = (NamedText(name="same", openqasm=GOOD),) * 2
    refused = [
        (request(Does.ECHO, simulators=("fist",)), "there is no simulator 'fist' here: did you mean 'fast'"),
        (request(Does.ECHO, simulators=("fast", "fast")), "'fast' is given 2 times"),
        (request(Does.ECHO, shots=5, resolution=0.1), "give shots, or a resolution"),
        (ComparisonRequest(circuits=twice), "two circuits are called 'same'"),
    ]
    for wrong, message in refused:
        with pytest.raises(RequestError, match=message):
            comparisons.submit(wrong, ME)
    assert comparisons.page(ME).total == 0


def test_a_request_that_is_too_large_is_refused(fakes: Fakes, tmp_path: Path):
    limits = {"max_circuits": 2, "max_text_bytes": 1000, "max_record_bytes": 1000}
    with comparisons_of(tmp_path / "file", lambda: fakes.addresses, **limits) as comparisons:
        with pytest.raises(LimitError, match="at most 2 circuits, not 3"):
            comparisons.submit(texts(GOOD, GOOD, GOOD), ME)
        with pytest.raises(LimitError, match="repeats each circuit at most 1,000 times, not 1,001"):
            comparisons.submit(request(Does.ECHO, repeat=1001), ME)
        with pytest.raises(LimitError, match="at most 1,000 bytes, not 1,0"):
            comparisons.submit(texts(GOOD + "/" * 1000), ME)
        info = ended(comparisons, comparisons.submit(request(Does.ECHO), ME))
        assert info.state is FAILED
        assert info.error is not None
        assert "at most 1,000 are kept: compare fewer circuits" in info.error.detail


def test_circuits_that_take_too_long_to_read_are_refused_and_others_are_read_meanwhile(fakes: Fakes, tmp_path: Path):
    with comparisons_of(tmp_path / "file", lambda: fakes.addresses, check_s=1.0) as comparisons:
        wait_until(lambda: _submits(comparisons), "the processes that read circuits")
        with pytest.raises(JobTimeout, match="reading the circuits took longer than 1 s"):
            comparisons.submit(texts(*[ENDLESS] * 5), ME)
        assert _submits(comparisons)


def _submits(comparisons: Comparisons) -> bool:
    try:
        comparisons.submit(request(Does.ECHO), ME)
    except JobTimeout:
        return False
    return True


def test_where_no_simulator_can_run_it_the_refusal_says_why_of_each(fakes: Fakes, tmp_path: Path):
    down = SimulatorAddress(url="http://127.0.0.1:9", info=fakes.addresses["fast"].info, reason="It was stopped.")
    new = SimulatorAddress(url="http://127.0.0.1:9")
    known = {"fast": fakes.addresses["fast"], "down": down, "new": new}
    with comparisons_of(tmp_path / "file", lambda: known) as comparisons:
        with pytest.raises(UnsupportedError) as caught:
            comparisons.submit(texts("OPENQASM 3; qubit q; h q;"), ME)
        assert caught.value.message == (
            "no simulator can run this now: fast: fast does not have the result type statevector; ask for shots; "
            "down: It was stopped; new: it has not answered yet"
        )


def test_the_process_that_reads_circuits_may_be_killed_between_two_requests(comparisons: Comparisons):
    comparisons.submit(request(Does.ECHO), ME)
    for checker in comparisons._checkers._all:
        if checker.process is not None and checker.process.pid is not None:
            os.kill(checker.process.pid, signal.SIGKILL)
    assert ended(comparisons, comparisons.submit(request(Does.ECHO), ME)).state is FINISHED


def test_a_key_gives_the_same_comparison_again_even_to_many_at_once(comparisons: Comparisons):
    infos: list[ComparisonInfo] = []
    threads = [
        threading.Thread(target=lambda: infos.append(comparisons.submit(request(Does.ECHO), ME, key="k")))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({info.id for info in infos}) == 1
    assert len(infos) == 8
    with pytest.raises(IdempotencyConflict, match="used for another request"):
        comparisons.submit(request(Does.ECHO, shots=21), ME, key="k")
    other = comparisons.submit(request(Does.ECHO), Caller("bob", "bob"), key="k")
    assert other.id != infos[0].id
    assert comparisons.queued + comparisons.running <= 2
    ended(comparisons, infos[0])
    assert comparisons.submit(request(Does.ECHO), ME, key="k").state is FINISHED


def test_callers_see_their_own_and_administrators_see_all(comparisons: Comparisons):
    ada, bob = (Caller(name, name, None, frozenset({Right.COMPARE})) for name in ("ada", "bob"))
    admin = Caller("root", "root", None, frozenset({Right.ADMIN}))
    info = comparisons.submit(request(Does.ECHO, name="bell"), ada)
    asks = (comparisons.info, comparisons.request, comparisons.record, comparisons.latest_kept, comparisons.cancel)
    for ask in asks:
        with pytest.raises(JobNotFound, match=f"there is no comparison '{info.id}' of yours here"):
            ask(info.id, bob)
    with pytest.raises(JobNotFound):
        comparisons.subscribe(info.id, bob, lambda _: None)
    with pytest.raises(JobNotFound):
        comparisons.page(bob, before=info.id)
    assert comparisons.page(bob) == comparisons.page(bob, search="bell")
    assert comparisons.page(bob).total == comparisons.page(bob).running == 0
    assert ended(comparisons, info, admin).by == "ada"
    assert comparisons.page(admin, search="ADA").total == 1
    assert comparisons.page(admin, "mine").total == 0
    assert comparisons.page(ada, "mine").total == 1


def test_the_comparison_before_of_the_same_circuits_and_simulators_is_known(comparisons: Comparisons):
    first = ended(comparisons, comparisons.submit(request(Does.ECHO), ME))
    assert comparisons.earlier_kept(first.id, ME) is None
    ended(comparisons, comparisons.submit(request(Does.ECHO, simulators=("fast",)), ME))
    second = ended(comparisons, comparisons.submit(request(Does.ECHO), ME))
    assert comparisons.earlier_kept(second.id, ME) == comparisons.latest_kept(first.id, ME) is not None


def test_a_comparison_with_noise_is_none_of_those_before_one_without(comparisons: Comparisons):
    first = ended(comparisons, comparisons.submit(request(Does.ECHO), ME))
    noise = NoiseModel().depolarizing(0.1)
    noisy = [
        ended(comparisons, comparisons.submit(request(Does.ECHO, simulators=("fast", "slow"), noise=noise), ME))
        for _ in range(2)
    ]
    last = ended(comparisons, comparisons.submit(request(Does.ECHO), ME))
    assert comparisons.earlier_kept(last.id, ME) == comparisons.latest_kept(first.id, ME)
    assert comparisons.earlier_kept(noisy[0].id, ME) is None
    assert comparisons.earlier_kept(noisy[1].id, ME) == comparisons.latest_kept(noisy[0].id, ME) is not None


# ---------------------------------------------------------------------- a file that fails


def test_a_file_that_cannot_be_read_for_a_moment_costs_no_comparison(
    comparisons: Comparisons, monkeypatch: pytest.MonkeyPatch
):
    read, failures = comparisons._store.request, [JobStoreError("too many open files")]

    def request_once_more(number: int) -> Kept | None:
        if failures:
            raise failures.pop()
        return read(number)

    monkeypatch.setattr(comparisons._store, "request", request_once_more)
    assert ended(comparisons, comparisons.submit(request(Does.ECHO), ME)).state is FINISHED
    assert not failures


def test_one_whose_record_no_file_takes_failed_for_everybody_and_agrees_with_nobody(comparisons: Comparisons):
    with comparisons._store._writing() as connection:
        connection.connection.dbapi_connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 2000)
    accepted = comparisons.submit(request(*[Does.ECHO] * 8), ME)
    heard: list[ComparisonInfo] = []
    comparisons.subscribe(accepted.id, ME, heard.append)
    info = ended(comparisons, accepted)
    assert (info.state, info.has_record, info.verdict, info.standing) == (FAILED, False, "", "")
    assert info.error is not None
    assert "more than the job database can take" in info.error.detail
    wait_until(lambda: heard[-1].state.is_final, "the end to be told")
    assert heard[-1] == info, "what is told is what is in the file"
    assert comparisons.page(ME, "failed").comparisons == (info,)


# ---------------------------------------------------------------------- doors that end


def test_who_waits_for_circuits_to_be_read_while_the_door_ends_is_told_so(fakes: Fakes, tmp_path: Path):
    with comparisons_of(tmp_path / "file", lambda: fakes.addresses) as comparisons, ThreadPoolExecutor(1) as threads:
        submitting = threads.submit(comparisons.submit, texts(*[ENDLESS] * 5), ME)
        checkers = comparisons._checkers
        wait_until(lambda: any(each.process is not None for each in checkers._all), "its circuits to be read")
        comparisons.close()
        with pytest.raises(BusyError, match="the door is stopping"):
            submitting.result(30)


def test_a_process_that_is_interrupted_before_it_has_work_ends_in_order():
    fork_server = ForkServer(MODULE, ENTRY)
    process = start_process(fork_server, lambda: False)
    assert process is not None
    process.interrupt()
    assert process.end(30) == 0
    fork_server.close()


def test_a_door_that_stops_leaves_what_it_has_to_the_next_one_in_order(fakes: Fakes, tmp_path: Path):
    path = tmp_path / "file"
    with comparisons_of(path, lambda: fakes.addresses, at_once=1) as comparisons:
        infos = [comparisons.submit(request(each), ME) for each in (Does.WAIT, Does.ECHO, Does.ECHO)]
        fakes.wait_until_doing(Does.WAIT)
        wished = comparisons.submit(request(Does.ECHO), ME)
        with pytest.raises(JobStoreError, match="another server uses"):
            ComparisonStore(path, wait_s=0)
        comparisons.stop_taking()
        with pytest.raises(BusyError, match="stopping"):
            comparisons.submit(request(Does.ECHO), ME)
        comparisons._store.want_cancelled(_number(comparisons, wished), "ada")
    wait_until(lambda: not fakes.doing(Does.WAIT), "the run to end with its door")
    order: list[str] = []
    with comparisons_of(path, lambda: fakes.addresses, at_once=1) as comparisons:
        for info in infos:
            comparisons.subscribe(info.id, ME, lambda now: order.append(now.id) if now.state is RUNNING else None)
        assert ended(comparisons, wished).state is CANCELLED, "somebody had cancelled it"
        assert comparisons.info(wished.id, ME).cancelled_by == "ada"
        _let_go_until_ended(comparisons, fakes, infos[0])
        assert {ended(comparisons, info).state for info in infos} == {FINISHED}
        assert list(dict.fromkeys(order)) == [info.id for info in infos]
        assert {comparisons._store.find(info.id).attempts for info in infos} == {1}


def _number(comparisons: Comparisons, info: ComparisonInfo) -> int:
    stored = comparisons._store.find(info.id)
    assert stored is not None
    return stored.number


_DOOR = """
import sys
from pathlib import Path
import msgspec
from support.comparisons import ME, comparisons_of, request
from support.fake import Does
from gateway.door.comparisons.address import SimulatorAddress

if __name__ == "__main__":
    addresses = msgspec.json.decode(sys.argv[2], type=dict[str, SimulatorAddress])
    with comparisons_of(Path(sys.argv[1]), lambda: addresses, at_once=1) as comparisons:
        for does in sys.argv[3:]:
            print(comparisons.submit(request(Does[does]), ME).id, flush=True)
        sys.stdin.read()
"""


class KilledDoor:
    """A process with the comparisons of a file, which a test kills."""

    def __init__(self, path: Path, fakes: Fakes, *does: Does) -> None:
        paths = os.pathsep.join(filter(None, sys.path))
        addresses = msgspec.json.encode(fakes.addresses).decode()
        self._process = subprocess.Popen(
            [sys.executable, "-c", _DOOR, str(path), addresses, *[each.name for each in does]],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": paths},
        )  # fmt: skip
        assert self._process.stdout is not None
        self.ids = [self._process.stdout.readline().strip() for _ in does]

    def kill(self) -> None:
        """Kill it, and wait until all its processes have ended with it."""
        below = descendants(self._process.pid)
        self._process.kill()
        self._process.communicate()
        wait_until(lambda: not any(map(alive, below)), "the processes of a killed door to end with it")


def test_a_door_that_is_killed_loses_nothing_and_its_processes_end_with_it(fakes: Fakes, tmp_path: Path):
    path = tmp_path / "file"
    door = KilledDoor(path, fakes, Does.WAIT, Does.ECHO)
    fakes.wait_until_doing(Does.WAIT)
    door.kill()
    wait_until(lambda: not fakes.doing(Does.WAIT), "the simulator to give up the run")
    with comparisons_of(path, lambda: fakes.addresses) as comparisons:
        infos = [comparisons.info(name, ME) for name in door.ids]
        _let_go_until_ended(comparisons, fakes, infos[0])
        assert [ended(comparisons, info).state for info in infos] == [FINISHED, FINISHED]
        assert [comparisons._store.find(name).attempts for name in door.ids] == [2, 1]


def test_simulators_that_start_with_the_door_are_waited_for_by_what_an_earlier_door_has_left(
    fakes: Fakes, tmp_path: Path
):
    starts = {
        name: msgspec.structs.replace(place, url="http://127.0.0.1:9", reason="It starts.")
        for name, place in fakes.addresses.items()
    }
    known = dict(fakes.addresses)
    asked = threading.Event()

    def addresses() -> dict[str, SimulatorAddress]:
        asked.set()
        return known

    with comparisons_of(tmp_path / "file", addresses, at_once=1) as comparisons:
        infos = [comparisons.submit(request(each), ME) for each in (Does.WAIT, Does.ECHO, Does.ECHO)]
        fakes.wait_until_doing(Does.WAIT)
        comparisons.cancel(infos[0].id, ME)
        comparisons.cancel(infos[1].id, ME)
    known = starts
    asked.clear()
    with comparisons_of(tmp_path / "file", addresses, at_once=1) as comparisons:
        assert asked.wait(30)
        known = dict(fakes.addresses)
        info = ended(comparisons, infos[2])
        assert (info.state, info.standing) == (FINISHED, "agrees")


def test_one_during_which_three_doors_were_killed_is_not_tried_again(fakes: Fakes, tmp_path: Path):
    path = tmp_path / "file"
    door = KilledDoor(path, fakes, Does.WAIT)
    ids = door.ids
    for attempt in range(3):
        door = KilledDoor(path, fakes) if attempt else door
        fakes.wait_until_doing(Does.WAIT)
        door.kill()
        wait_until(lambda: not fakes.doing(Does.WAIT), "the simulator to give up the run")
    with comparisons_of(path, lambda: fakes.addresses) as comparisons:
        info = comparisons.info(ids[0], ME)
        assert info.state is FAILED
        assert info.error is not None
        assert (info.error.code, info.error.status) == ("job-interrupted", 500)
        assert "the door ended during each of 3 attempts at this comparison" in info.error.detail
