"""The sentence that begins every report, and the word that stands for a row."""

from __future__ import annotations

import msgspec
import pytest
from support import records

from gateway.compare.record import Cause, Detectable, Record, Reference, Row, Verdict
from gateway.compare.verdict import Standing, standing, verdict_parts, whole

replace = msgspec.structs.replace


def sentence(record: Record) -> str:
    return "".join(verdict_parts(record))


def of(record: Record, **changes: object) -> Record:
    """Return a record with changes to its only case."""
    return replace(record, cases=(replace(record.cases[0], **changes),))


def rows_of(record: Record, simulator: str, **changes: object) -> tuple[Row, ...]:
    return tuple(replace(row, **changes) if row.simulator == simulator else row for row in record.rows)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("all_agree", "All 6 agree. A difference of 0.044 or more would have been found, 99 times in 100."),
        (
            "one_differs",
            (
                "5 agree; rigetti differs (p < 1e-12): its counts fit the circuit with every rz turned the other way; "
                "3-operation reproducer below."
            ),
        ),
        (
            "unexplained",
            "5 agree; rigetti differs (p < 1e-12). Nothing tried explains it; 9-operation reproducer below.",
        ),
        ("two_groups", "Two groups: cirq, mqt, qulacs; and qiskit, pytket. No reference: nobody has exact results."),
        (
            "failures",
            "2 agree; 2 failed, 2 cannot run it. A difference of 0.044 or more would have been found, 99 times in 100.",
        ),
        ("everybody_failed", "2 failed, 2 cannot run it."),
        (
            "flat",
            (
                "5 agree; qsim differs (p < 1e-12): its counts fit a readout error of 30 % on clbit 13; "
                "its exact results agree."
            ),
        ),
        ("many_simulators", "10 agree; reversed and uniform differ (p < 1e-12). Nothing tried explains them."),
        ("series", "3 of 5 circuits: rigetti differs (p < 1e-12). Nothing tried explains them."),
        ("interrupted", "3 of 6 had finished; none of them differs."),
        ("empty", "Nothing was compared."),
    ],
)
def test_a_verdict_is_one_sentence_that_says_who_and_why_and_what_next(name: str, expected: str) -> None:
    assert sentence(records.ALL[name]()) == expected


def test_the_first_clause_says_who_differs() -> None:
    assert verdict_parts(records.one_differs())[0] == "5 agree; rigetti differs"


@pytest.mark.parametrize("name", records.ALL)
def test_the_two_parts_make_sentences(name: str) -> None:
    first, rest = verdict_parts(records.ALL[name]())
    assert first
    assert not rest or rest.startswith(" ")
    assert (first + rest).endswith(".")
    assert "  " not in first + rest


def test_few_simulators_are_not_counted() -> None:
    record = records.all_agree()
    assert sentence(of(record, rows=record.rows[:2])).startswith("Both agree. A difference")
    assert sentence(of(record, rows=record.rows[:1])).startswith("cirq agrees with the reference.")
    wrong = records.one_differs()
    assert sentence(of(wrong, rows=wrong.rows[3:5])).startswith("pytket agrees; rigetti differs (p")
    assert sentence(of(wrong, rows=wrong.rows[4:5])).startswith("rigetti differs (p")


def test_nobody_agrees_without_what_would_have_been_found() -> None:
    blunt = Detectable(hardest=1, depolarised=1, one_outcome=1, one_bit=0.2)
    assert "A clbit that is off by 0.20 or more would" in sentence(of(records.all_agree(), detectable=blunt))
    blind = replace(blunt, one_bit=1.0)
    assert sentence(of(records.all_agree(), detectable=blind)).endswith("no difference reliably.")
    assert sentence(of(records.all_agree(), detectable=None)) == "All 6 agree. Their exact results agree to 2e-8."


def test_agreement_without_a_reference_says_so() -> None:
    record = records.all_agree()
    rows = tuple(replace(row, exact_difference=None) for row in record.rows)
    none = Reference(kind="none", note="only samplers")
    found = sentence(of(record, rows=rows, reference=none, detectable=None))
    assert found == "All 6 agree. No reference: only samplers; a fault that all share would not be seen."


def test_a_reference_with_one_witness_is_named() -> None:
    single = Reference(kind="single", witnesses=("gateway",), probabilities={"0": 1.0})
    assert sentence(of(records.all_agree(), reference=single)).endswith("The reference is that of the gateway alone.")


def test_a_difference_that_only_exact_results_show_is_given_as_such() -> None:
    record = records.one_differs()
    rows = rows_of(record, "rigetti", p_value=0.4, exact_difference=1e-6, causes=())
    assert "rigetti differs (exact probabilities off by 1e-6). Nothing tried" in sentence(of(record, rows=rows))


def test_several_that_differ_share_a_cause_or_have_their_own() -> None:
    record = records.one_differs()
    wrong = record.rows[4]
    same = rows_of(record, "qulacs", verdict=Verdict.DIFFERS, p_value=0.0, causes=wrong.causes)
    assert "rigetti and qulacs differ (p < 1e-12): their counts fit the circuit with every" in sentence(
        of(record, rows=same)
    )
    other = (Cause(name="bits-reversed", detail="the bits reversed", p_value=0.2),)
    own = rows_of(record, "qulacs", verdict=Verdict.DIFFERS, p_value=3e-9, causes=other)
    found = sentence(of(record, rows=own))
    assert "(p = 3e-9 at most): the counts of rigetti fit the circuit" in found
    assert "the counts of qulacs fit the bits reversed; 3-operation" in found
    none = rows_of(record, "qulacs", verdict=Verdict.DIFFERS, p_value=0.0)
    assert "turned the other way, nothing tried explains qulacs;" in sentence(of(record, rows=none))


def test_explanations_that_fit_as_well_are_counted() -> None:
    record = records.one_differs()
    more = tuple(Cause(name=f"cause-{place}", detail=f"cause {place}", p_value=0.2) for place in range(2))
    rows = rows_of(record, "rigetti", causes=record.rows[4].causes + more)
    assert "every rz turned the other way, or 2 other explanations; 3-operation" in sentence(of(record, rows=rows))


def test_of_many_that_differ_a_few_are_named() -> None:
    record = records.many_simulators()
    rows = tuple(replace(row, verdict=Verdict.DIFFERS, p_value=0.0) for row in record.rows)
    assert "simulator_5 and 6 more differ" in sentence(of(record, rows=rows))


def test_several_circuits_are_counted() -> None:
    record = records.series()
    right = tuple(replace(case, rows=case.rows[:3]) for case in record.cases)
    assert sentence(replace(record, cases=right)).startswith("All 3 agree on all 5 circuits. A difference of")
    both = tuple(replace(case, rows=case.rows[:2]) for case in right)
    assert sentence(replace(record, cases=both)).startswith("Both agree on all 5 circuits.")
    unknown = (replace(right[0], detectable=None, reference=Reference(kind="none")), *right[1:])
    assert sentence(replace(record, cases=unknown)).endswith("1 circuit had no reference.")
    failing = replace(record.cases[0], rows=(*record.cases[0].rows[:2], Row(simulator="x", error="Error: no")))
    found = sentence(replace(record, cases=(failing, *right[1:])))
    assert found.startswith("5 circuits: nobody differs. Of 15 runs, 1 failed. A difference")


def test_an_interrupted_series_counts_runs() -> None:
    record = records.series()
    late = replace(record.cases[4], rows=tuple(Row(simulator=row.simulator) for row in record.cases[4].rows))
    found = sentence(replace(record, cases=(*record.cases[:4], late), interrupted=True))
    assert found.startswith("16 of 20 runs had finished; rigetti differs (p < 1e-12).")
    assert whole(replace(record, interrupted=True)) is Standing.DIFFERS


def test_an_interruption_before_the_first_result_says_so() -> None:
    record = records.interrupted()
    nothing = of(record, rows=record.rows[3:])
    assert sentence(nothing) == "Nothing had finished when it was interrupted."
    assert sentence(of(record, rows=record.rows[:3])).startswith("Interrupted when 3 had finished; none")


def test_a_failure_alone_is_quoted() -> None:
    found = records.failures()
    row = replace(found.rows[2], error="SimulatorError: it broke\nTraceback")
    assert sentence(of(found, rows=(row,))) == "qibo failed: it broke."


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (Row(simulator="a", verdict=Verdict.FAILED, error="LimitError: 60 qubits"), Standing.REFUSED),
        (Row(simulator="a", verdict=Verdict.FAILED, error="SimulatorError: broke"), Standing.FAILED),
        (Row(simulator="a"), Standing.UNFINISHED),
        (Row(simulator="a", counts={"0": 1}), Standing.UNDECIDED),
        (Row(simulator="a", counts={"0": 1}, verdict=Verdict.AGREES), Standing.AGREES),
    ],
)
def test_a_row_has_a_standing(row: Row, expected: Standing) -> None:
    assert standing(row) is expected


def test_one_reference_that_others_contradict_is_said_to_be() -> None:
    record = records.one_differs()
    rows = [replace(row, verdict=Verdict.UNDECIDED, causes=()) for row in record.cases[0].rows[:3]]
    alone = Reference(kind="single", witnesses=(rows[0].simulator,), independent=1, probabilities={"0": 1.0})
    case = replace(record.cases[0], rows=tuple(rows), reference=alone, reproducers=())
    text = sentence(replace(record, cases=(case,)))
    assert text.endswith(f" The only exact results are those of {rows[0].simulator}, and others contradict them.")


def test_a_failure_names_its_simulator_once() -> None:
    row = Row(simulator="a", verdict=Verdict.FAILED, error="SimulatorError: a failed: ValueError: no")
    assert sentence(of(records.all_agree(), rows=(row,))) == "a failed: ValueError: no."


def test_while_simulators_run_nobody_is_judged_whatever_shows_the_record():
    record = records.one_differs()
    (case,) = record.cases
    done = [replace(row, verdict=Verdict.FINISHED, p_value=None, causes=()) for row in case.rows[:2]]
    failed = Row(simulator="qiskit", verdict=Verdict.FAILED, error="SimulatorCrashed: gone")
    late = [Row(simulator=row.simulator) for row in case.rows[3:]]
    partial = replace(record, cases=(replace(case, rows=(*done, failed, *late), reproducers=()),))
    assert "".join(verdict_parts(partial)) == "3 of 6 have finished; nobody is judged before all have."
    assert whole(partial) is Standing.FINISHED
