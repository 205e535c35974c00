"""What people see of comparisons is made in processes that can be killed, and kept."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import msgspec
import pytest
from support.records import MACHINE, all_agree, everybody_failed, one_differs
from support.waiting import wait_until

from gateway.compare.presentation.outcomes_csv import outcomes_csv
from gateway.compare.presentation.part import result_part
from gateway.compare.presentation.picture import svg_picture
from gateway.compare.presentation.report import html_report
from gateway.compare.record import Case, Record, Reference, Row
from gateway.door.comparisons.kept import Kept
from gateway.door.comparisons.manager import Comparisons
from gateway.door.comparisons.store import ComparisonStore, Stored
from gateway.door.showing import Showing
from gateway.door.showing.questions import Form
from gateway.errors import BusyError, JobNotFound, JobTimeout, OutOfMemory, RequestError, ResultNotFound
from gateway.execution.content import FileContent, whole
from gateway.jobs.manager import Caller
from gateway.protocol.door import ComparisonState
from gateway.rights import Right

ADA, BOB = (Caller(name, name, None, frozenset({Right.COMPARE})) for name in ("ada", "bob"))


@pytest.fixture(scope="module")
def comparisons() -> Iterator[Comparisons]:
    store = ComparisonStore(":memory:")
    with contextlib.closing(store):
        yield Comparisons(store, lambda _: {})  # never started: nothing runs


@pytest.fixture(scope="module")
def showing(comparisons: Comparisons) -> Iterator[Showing]:
    made = Showing(comparisons, timeout_s=60)
    yield made
    made.close()


def add(comparisons: Comparisons, name: str, record: Record | None, subject: str = "", owner: str = "ada") -> str:
    """Add a comparison that has ended, and return its id."""
    new = Stored(
        id=name, owner=owner, caller=owner, created=1.0, circuits=("c",), simulators=("a",), subject=subject or name
    )
    store = comparisons._store
    number = store.add(new, Kept.of(b"{}"))
    state = ComparisonState.FAILED if record is None else ComparisonState.FINISHED
    ended = replace(new, number=number, state=state, started=1.0, ended=2.0, has_record=record is not None)
    assert store.end(ended, None if record is None else Kept.of(msgspec.json.encode(record)))
    return name


def many_outcomes(number: int = 150_000, simulators: int = 2) -> Record:
    counts = {format(outcome, "020b"): 1 for outcome in range(number)}
    rows = tuple(Row(simulator=f"s{k}", counts=counts) for k in range(simulators))
    case = Case(
        name="many", openqasm="", sha256="", num_qubits=20, num_clbits=20, operations=1, depth=1, shots=number,
        reference=Reference(kind="none"), rows=rows,
    )  # fmt: skip
    return Record(cases=(case,), machine=MACHINE, created="2026-03-12T14:02:11Z")


def test_each_form_is_what_is_made_of_the_record(comparisons: Comparisons, showing: Showing):
    name, record = add(comparisons, "forms", one_differs()), one_differs()
    assert whole(showing.part(name, ADA)).decode() == result_part(record, base="v1/comparisons/forms")
    assert whole(showing.shown(Form.REPORT, name, ADA)).decode() == html_report(record)
    assert whole(showing.shown(Form.SVG, name, ADA)).decode() == svg_picture(record)
    assert whole(showing.shown(Form.CSV, name, ADA)).decode() == outcomes_csv(record)
    assert whole(showing.shown(Form.PNG, name, ADA)).startswith(b"\x89PNG")


def test_what_has_changed_since_the_comparison_before_is_said(comparisons: Comparisons, showing: Showing):
    first, second = (
        add(comparisons, f"{k} of two", record, "two") for k, record in enumerate((all_agree(), one_differs()))
    )
    assert b"Since 2026-03-12" not in whole(showing.part(first, ADA))
    for content in (showing.part(second, ADA), showing.shown(Form.REPORT, second, ADA)):
        assert b"Since 2026-03-12" in whole(content)
    add(comparisons, "of somebody else", all_agree(), "shared", owner="bob")
    mine = add(comparisons, "mine", one_differs(), "shared")
    assert b"Since 2026-03-12" not in whole(showing.part(mine, ADA))


def test_of_a_comparison_that_was_ended_early_nothing_has_changed_before_or_since(
    comparisons: Comparisons, showing: Showing
):
    whole_one, cut_off = all_agree(), msgspec.structs.replace(one_differs(), interrupted=True)
    for k, records in enumerate([(whole_one, cut_off), (cut_off, whole_one)]):
        _, second = (add(comparisons, f"{k} {n} early", record, f"early {k}") for n, record in enumerate(records))
        for content in (showing.part(second, ADA), showing.shown(Form.REPORT, second, ADA)):
            assert b"Since 2026-03-12" not in whole(content)


def test_where_there_is_no_record_there_is_nothing_to_show(comparisons: Comparisons, showing: Showing):
    name = add(comparisons, "without", None)
    assert showing.part(name, ADA) == b""
    for form in Form:
        with pytest.raises(ResultNotFound, match="the comparison is failed: it has no record"):
            showing.shown(form, name, ADA)
    failed = add(comparisons, "nobody", everybody_failed())
    with pytest.raises(RequestError, match="nothing to draw"):
        showing.shown(Form.SVG, failed, ADA)


def test_nobody_sees_what_is_kept_of_a_comparison_of_somebody_else(comparisons: Comparisons, showing: Showing):
    name = add(comparisons, "private", all_agree())
    assert showing.part(name, ADA)
    with pytest.raises(JobNotFound):
        showing.part(name, BOB)
    with pytest.raises(JobNotFound):
        showing.shown(Form.REPORT, name, BOB)


def test_what_was_shown_is_kept(comparisons: Comparisons, showing: Showing):
    name = add(comparisons, "kept", all_agree())
    first = showing.shown(Form.REPORT, name, ADA)
    assert showing.shown(Form.REPORT, name, ADA) is first


def test_one_that_is_too_slow_is_given_up_and_others_are_shown(comparisons: Comparisons):
    slow, quick = add(comparisons, "slow", many_outcomes(600_000)), add(comparisons, "quick", all_agree())
    hasty = Showing(comparisons, workers=1, timeout_s=0.5)
    try:
        wait_until(lambda: hasty.ready, "processes that are ready")
        with pytest.raises(
            JobTimeout, match=r"longer than 0.5 s to show this comparison: download its record"
        ) as caught:
            hasty.shown(Form.CSV, slow, ADA)
        assert caught.value.status == 504
    finally:
        hasty.close()
    patient = Showing(comparisons, workers=1)
    try:
        assert patient.part(quick, ADA)
        table = patient.shown(Form.CSV, slow, ADA)
        assert isinstance(table, FileContent)
        assert whole(table).count(b"\n") > 600_000
    finally:
        patient.close()


def test_one_that_takes_too_much_memory_is_told_so(comparisons: Comparisons):
    large, small = add(comparisons, "large", many_outcomes(300_000, 6)), add(comparisons, "small", all_agree())
    little = Showing(comparisons, workers=1, timeout_s=60, memory_bytes=2**28)
    try:
        with pytest.raises(OutOfMemory, match="more memory than there is for it to show this comparison") as caught:
            little.part(large, ADA)
        assert caught.value.status == 507
        assert little.part(small, ADA)
    finally:
        little.close()


def test_many_who_look_at_the_same_share_it_and_one_too_many_is_told_to_come_again(comparisons: Comparisons):
    name = add(comparisons, "shared by many", many_outcomes(100_000))
    crowded = Showing(comparisons, workers=1, timeout_s=60, most=8)
    barrier = threading.Barrier(30)

    def look() -> object:
        barrier.wait(30)
        try:
            return crowded.part(name, ADA)
        except BusyError as error:
            return type(error)

    try:
        wait_until(lambda: crowded.ready, "processes that are ready")
        with ThreadPoolExecutor(30) as threads:
            found = [future.result(60) for future in [threads.submit(look) for _ in range(30)]]
        shown = {id(each) for each in found if isinstance(each, bytes)}
        assert len(shown) == 1, "it was made once"
        assert all(each is BusyError for each in found if not isinstance(each, bytes))
        assert found.count(BusyError) <= 22
    finally:
        crowded.close()
