"""Texts are looked at in processes that can be killed: hostile ones hold up nobody."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from xml.etree import ElementTree as ET

import msgspec
import pytest
from support.directory import all_known, known
from support.records import case, record
from support.waiting import wait_until

from gateway.compare.record import Row, Spread
from gateway.door.circuits import Circuits
from gateway.door.comparisons.kept import Kept
from gateway.door.examples import examples
from gateway.errors import BusyError, GatewayError, JobCancelled, JobTimeout
from gateway.noise import NoiseModel
from gateway.protocol.door import CircuitInfo, CircuitRequest

HEAD = 'OPENQASM 3;\ninclude "stdgates.inc";\n'
GOOD = HEAD + "qubit[2] q;\nbit[2] c;\nh q[0];\ncx q[0], q[1];\nc = measure q;"
ENDLESS = HEAD + "qubit[20] q;\n" + "for int i in [0:40000] { rz(i * 0.1) q; }\n" * 20
"""Takes some twenty seconds, until it has too many operations."""


@pytest.fixture(scope="module")
def circuits() -> Iterator[Circuits]:
    made = Circuits(workers=2, timeout_s=60)
    yield made
    made.close()


@pytest.fixture
def hasty() -> Iterator[Circuits]:
    made = Circuits(workers=1, timeout_s=1.0, most_waiting=1)
    wait_until(lambda: made.ready, "processes that are ready")
    yield made
    made.close()


def ask(circuits: Circuits, text: str = GOOD, **options: object) -> CircuitInfo:
    return circuits.describe(CircuitRequest(openqasm=text, **options), all_known())  # type: ignore[arg-type]


def kept(text: str, seconds: dict[str, float], **changes: Any) -> Kept:
    """Return the record of a comparison whose runs took so long."""
    rows = [Row(simulator=name, timings={"total": Spread(each, each, each)}) for name, each in seconds.items()]
    circuit = case(
        GOOD,
        "circuit",
        {},
        [*rows, Row(simulator="stim", error="JobTimeout: it was slow", timings={"total": Spread(9, 9, 9)})],
    )
    made = record(msgspec.structs.replace(circuit, openqasm=text), **changes)
    return Kept.of(msgspec.json.encode(made))


def test_a_text_is_described(circuits: Circuits) -> None:
    info = ask(circuits, examples()[0].openqasm)
    assert (info.num_qubits, info.num_clbits, info.operations, info.depth) == (4, 3, 25, 19)
    assert info.note == "10,000 shots find a distance of 0.041 or more, 99 times in 100."
    assert [estimate.simulator for estimate in info.estimates] == [each.name for each in all_known()]
    assert info.estimates[-1].reason == "rz(0.6π) in line 12 is no Clifford gate, as are 8 more."
    drawing = ET.fromstring(info.drawing)  # noqa: S314 - our own
    assert len(str(drawing.get("data-columns")).split()) == info.columns > 15
    assert not info.errors


def test_an_error_is_an_answer_and_nothing_else_is_said(circuits: Circuits) -> None:
    info = ask(circuits, GOOD.replace("cx", "frob"))
    assert [(each.line, each.column, each.end_column) for each in info.errors] == [(6, 1, 5)]
    assert info == CircuitInfo(errors=info.errors)


def test_what_is_not_asked_for_is_left_out(circuits: Circuits) -> None:
    info = ask(circuits, drawing=False, shots=None)
    assert not info.drawing
    assert not info.columns
    assert info.note.startswith("Exact results find")
    assert {each.simulator for each in info.estimates if each.runs} == {each.name for each in all_known()}


def test_a_resolution_takes_shots(circuits: Circuits) -> None:
    info = ask(circuits, resolution=0.02)
    assert info.shots is not None
    assert f"{info.shots:,} shots" in info.note


def test_parameters_are_named(circuits: Circuits) -> None:
    info = ask(circuits, HEAD + "input float a;\nqubit q;\nbit c;\nrx(a) q;\nc = measure q;")
    assert info.parameters == ("a",)
    assert not any(each.runs for each in info.estimates)


def test_a_large_circuit_is_drawn_in_part_and_says_so(circuits: Circuits) -> None:
    info = ask(circuits, HEAD + "qubit[3] q;\n" + "h q[0];\n" * 5_000)
    assert info.operations == 5_000
    assert info.columns == 120
    assert info.remark == "The first 120 of 5,000 operations are drawn."
    assert len(info.drawing) < 100_000


def test_many_texts_at_once_have_each_their_answer(circuits: Circuits) -> None:
    texts = [HEAD + f"qubit[{1 + number % 9}] q;\nh q;" for number in range(60)]
    with ThreadPoolExecutor(30) as threads:
        infos = list(threads.map(lambda text: ask(circuits, text), texts))
    assert [info.num_qubits for info in infos] == [1 + number % 9 for number in range(60)]


@pytest.mark.parametrize("text", ["", "\0", "x" * 100_000, "{" * 5_000, "((((" * 5_000, HEAD + "qubit[" * 999])
def test_what_is_no_program_has_an_error(circuits: Circuits, text: str) -> None:
    assert ask(circuits, text).errors
    assert ask(circuits).operations == 4


def test_a_text_that_takes_too_long_is_given_up_and_the_next_is_answered(hasty: Circuits) -> None:
    with pytest.raises(JobTimeout, match=r"this text takes longer than 1 s to look at: ask for fewer") as info:
        ask(hasty, ENDLESS)
    assert info.value.status == 504
    patient = Circuits(workers=1)
    try:
        assert ask(patient).operations == 4
    finally:
        patient.close()


def test_a_text_that_takes_too_much_memory_is_told_so() -> None:
    small = Circuits(workers=1, timeout_s=60, memory_bytes=200 * 2**20)
    try:
        info = ask(small, HEAD + "qubit[1000] q;\nfor int i in [0:990] { rz(i * 0.1) q; }\n")
        assert [each.message for each in info.errors] == [
            "this text takes more memory than there is for looking at it: ask for fewer operations"
        ]
        assert ask(small).operations == 4
    finally:
        small.close()


def test_who_comes_when_too_many_wait_is_told_to_come_again(hasty: Circuits) -> None:
    outcomes: list[object] = []

    def one() -> None:
        try:
            outcomes.append(ask(hasty, ENDLESS))
        except GatewayError as error:
            outcomes.append(type(error))

    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(outcomes) == {JobTimeout, BusyError}
    assert outcomes.count(BusyError) >= 6


def test_a_later_text_of_the_same_editor_takes_the_place_of_one_that_waits(circuits: Circuits) -> None:
    busy, results = Circuits(workers=1, timeout_s=60), {}

    def one(name: str, text: str, editor: str) -> None:
        try:
            results[name] = busy.describe(CircuitRequest(openqasm=text, editor=editor), [known("qulacs")], caller="me")
        except GatewayError as error:
            results[name] = type(error)

    def waiting(number: int) -> None:
        wait_until(lambda: busy._reception.waiting == number, f"{number} texts that wait")

    try:
        wait_until(lambda: busy.ready, "processes that are ready")
        threads = []
        for number, (name, text, editor) in enumerate(
            [("slow", ENDLESS, ""), ("first", GOOD, "a"), ("other", GOOD, "b"), ("second", GOOD, "a")]
        ):
            threads.append(threading.Thread(target=one, args=(name, text, editor)))
            threads[-1].start()
            waiting(min(number, 2))
        threads[1].join()
        assert results == {"first": JobCancelled}
    finally:
        busy.close()
        for thread in threads:
            thread.join()


def test_a_process_that_is_killed_costs_no_answer(circuits: Circuits) -> None:
    ask(circuits)
    for pid in circuits._reception.pids():
        os.kill(pid, signal.SIGKILL)
    for _ in range(3):
        assert ask(circuits).operations == 4


def test_runs_that_were_observed_change_the_estimates() -> None:
    learning = Circuits(workers=1, timeout_s=60)
    try:
        before = learning.describe(CircuitRequest(openqasm=GOOD), [known("qulacs")]).estimates[0].seconds
        record = kept(GOOD, {"qulacs": 1.0, "theirs": 1.0})
        for _ in range(20):
            learning.observe(record)
        after = learning.describe(CircuitRequest(openqasm=GOOD), [known("qulacs")]).estimates[0].seconds
        assert before is not None
        assert after == pytest.approx(min(30 * before, 1.0), rel=0.2)
        for nothing in (
            kept("no program", {"qulacs": 9.0}),
            kept(GOOD, {"qulacs": 9.0}, side_by_side=True),
            kept(GOOD, {"qulacs": 9.0}, noise=NoiseModel().readout_error(0.1, 0.1)),
            kept(GOOD, {}),
            Kept.of(b"no record"),
        ):
            learning.observe(nothing)
        unchanged = learning.describe(CircuitRequest(openqasm=GOOD), [known("qulacs")]).estimates[0].seconds
        assert unchanged == after
    finally:
        learning.close()


def test_once_closed_nobody_waits() -> None:
    made = Circuits(workers=1)
    made.close()
    with pytest.raises(GatewayError):
        ask(made)


def test_the_process_that_answers_requests_imports_nothing_large() -> None:
    program = "import sys, gateway.door.circuits; print(sorted({'numpy', 'scipy'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
