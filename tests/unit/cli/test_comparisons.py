"""What gateway compare prints of comparisons as they turn out, in wide and in narrow terminals."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from support import records
from support.terminals import Screen

from gateway.cli.comparisons import draw, shows
from gateway.compare.record import Detectable, Record, Reference, Reproducer, Verdict
from gateway.look.terminal import Terminal

ALL = [
    records.all_agree,
    records.one_differs,
    records.unexplained,
    records.two_groups,
    records.failures,
    records.everybody_failed,
    records.wide,
    records.flat,
    records.many_simulators,
    records.series,
]


def shown(record: Record, columns: int, monkeypatch: pytest.MonkeyPatch, encoding: str = "utf-8") -> list[str]:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("NO_COLOR", "1")
    terminal = Terminal(Screen(encoding))
    return terminal.render(*draw(record, terminal)).splitlines()


def once(record: Record) -> Record:
    """Return a record of one run of each circuit."""
    return msgspec.structs.replace(record, repeat=1)


def test_one_that_differs_at_80_columns(monkeypatch):
    lines = shown(records.one_differs(), 80, monkeypatch)
    assert lines[:13] == [
        "≠ 5 agree; rigetti differs (p < 1e-12): its counts fit the circuit with every rz",
        "  turned the other way; 3-operation reproducer below.",
        "",
        "  simulator   verdict     distance         p   exact diff.      time",
        "  cirq        = agrees      0.0044      0.64          2e-8    4.2 ms",
        "  mqt         = agrees      0.0067      0.62         4e-16    8.4 ms",
        "  qiskit      = agrees      0.0024      0.92         3e-16   12.6 ms",
        "  pytket      = agrees      0.0088      0.66         3e-16   16.8 ms",
        "  rigetti     ≠ differs     0.8431   < 1e-12          0.56   21.0 ms",
        "  qulacs      = agrees      0.0105      0.30         2e-16    4.2 ms",
        "",
        "  outcome  reference    5 agree                     rigetti",
        "  000            2.2     2.1 ▋                       1.8 ▋",
    ]
    assert lines[13:] == [
        "  001            5.2     5.1 █▋                   ≠  1.3 ▒│",
        "  010           57.8    57.6 ██████████████████▋  ≠  1.5 ▒                 │",
        "  011           25.9    26.3 ████████▌            ≠  2.1 ▒       │",
        "  100            4.1     4.1 █▍                      4.0 █▎",
        "  101            1.9     2.0 ▋                    ≠ 27.1 ┃▒▒▒▒▒▒▒▒",
        "  110            1.4     1.4 ▌                    ≠ 56.5 ┃▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒",
        "  111            1.5     1.5 ▌                    ≠  5.5 ┃▒",
        "  per cent of 10,000 shots; │ reference; bars end at 65 %; clbit 0 rightmost",
        "",
        "  Reproducer  the reference gives 0 always, rigetti never; 25 operations reduced",
        "  to 3; nothing more can be left out",
        "    OPENQASM 3;",
        '    include "stdgates.inc";',
        "    qubit q;",
        "    bit c;",
        "    h q;",
        "    rz(pi/2) q;",
        "    sx q;",
        "    c = measure q;",
        "",
        "  A distance below 0.044 may have been missed by the samples; exact results were",
        "  compared too: the 5 that agree do so to 2e-8. Reference: exact, 5 independent",
        "  witnesses.",
    ]


def test_at_120_columns_every_simulator_has_a_column_and_versions_have_room(monkeypatch):
    lines = shown(records.one_differs(), 120, monkeypatch)
    assert lines[3].split("   ")[1].strip() == "version"
    head = next(line for line in lines if line.startswith("  outcome"))
    assert head.split() == ["outcome", "reference", "cirq", "mqt", "qiskit", "pytket", "rigetti", "qulacs"]
    assert next(line for line in lines if line.startswith("  010")) == (
        "  010           57.8    57.8 ██████▎    58.0 ██████▎    57.7 ██████▎    57.4 ██████▏"
        "  ≠  1.5 ▒     │    57.3 ██████▏"
    )


def test_all_agree_is_one_sentence(monkeypatch):
    assert shown(once(records.all_agree()), 80, monkeypatch) == [
        "= All 6 agree. A difference of 0.044 or more would have been found, 99 times in",
        "  100.",
    ]


def test_who_repeats_runs_wants_to_see_the_times(monkeypatch):
    assert "  cirq        = agrees     0.0044   0.64          2e-8    4.2 ms" in shown(
        records.all_agree(), 80, monkeypatch
    )


@pytest.mark.parametrize("make", ALL)
@pytest.mark.parametrize("columns", [40, 59, 80, 120, 200])
def test_no_line_is_wider_than_the_terminal(make: Callable[[], Record], columns: int, monkeypatch):
    assert max(map(len, shown(make(), columns, monkeypatch))) <= columns


@pytest.mark.parametrize("make", ALL)
def test_another_encoding_has_other_characters(make: Callable[[], Record], monkeypatch):
    assert "\n".join(shown(make(), 80, monkeypatch, "ascii")).isascii()


def test_in_another_encoding_everything_stays_aligned(monkeypatch):
    lines = shown(records.one_differs(), 80, monkeypatch, "ascii")
    assert lines[0].startswith("!= 5 agree; rigetti differs")
    assert "  rigetti     != differs     0.8431   < 1e-12          0.56   21.0 ms" in lines
    assert "  101            1.9      2.0 #                   != 27.1 |%%%%%%%" in lines


def test_colours_mark_who_differs_and_say_nothing_by_themselves(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    terminal = Terminal(Screen())
    text = terminal.render(*draw(records.one_differs(), terminal))
    assert text.startswith("\x1b[31m≠\x1b[0m \x1b[1m5 agree; rigetti differs\x1b[0m (p < 1e-12)")
    assert "\x1b[31m≠\x1b[0m \x1b[1mdiffers\x1b[0m" in text
    assert "\x1b[31m≠\x1b[0m \x1b[1m27.1\x1b[0m ┃\x1b[31m▒▒▒▒▒▒▒▒\x1b[0m" in text
    assert "\x1b[2m  A distance below" in text or "\x1b[2mA distance below" in text


def test_where_simulators_do_not_fit_side_by_side_they_stand_below_each_other(monkeypatch):
    lines = shown(records.one_differs(), 40, monkeypatch)
    heads = [line.split() for line in lines if line.startswith("  outcome")]
    assert heads == [["outcome", "reference", "5", "agree"], ["outcome", "reference", "rigetti"]]
    assert "bars" not in " ".join(lines)


def test_who_is_undecided_is_in_a_group_and_no_distance_is_claimed(monkeypatch):
    lines = shown(records.two_groups(), 80, monkeypatch)
    assert lines[0] == "  Two groups: cirq, mqt, qulacs; and qiskit, pytket. No reference: nobody has"
    assert "  cirq        cirq-core 1.7.0        group 1    4.2 ms    64 MiB" in lines
    assert "Without a reference it is not known how small a difference" in " ".join(lines)


def test_who_failed_has_the_reason_and_those_with_one_reason_share_it(monkeypatch):
    lines = shown(records.failures(), 80, monkeypatch)
    assert "  qibo                   ! failed" in lines
    assert "  stim                   – cannot run it" in lines  # noqa: RUF001
    assert "  stim and qiskit_stabilizer: rz(0.6π) is no Clifford gate, as are 5 more" in lines


def test_where_single_outcomes_say_nothing_clbits_are_shown(monkeypatch):
    lines = shown(records.flat(), 80, monkeypatch)
    assert "  clbit 13       49.8     −0.1         ≠ −16.0" in lines  # noqa: RUF001
    assert [line.split() for line in lines if "at most" in line] == [
        ["8", "more", *(["at", "most", "2.0", "at", "most", "1.9"])]
    ]
    assert (
        "So few shots show no difference that is spread over all outcomes; a clbit that is off by 0.013 is found"
        in (" ".join(line.strip() for line in lines))
    )


def test_several_circuits_are_a_table_and_those_with_news_follow(monkeypatch):
    lines = shown(records.series(), 80, monkeypatch)
    assert lines[2:6] == [
        "  circuit       verdict             would be found",
        "  cat-2.qasm    = all agree                  0.044",
        "  cat-4.qasm    = all agree                  0.044",
        "  cat-6.qasm    ≠ rigetti differs            0.044",
    ]
    assert "  time            cirq      mqt   qiskit   rigetti" in lines
    assert "  cat-6.qasm  6 qubits, 6 clbits, 12 operations, depth 7" in lines
    assert "  cat-2.qasm  2 qubits, 2 clbits, 4 operations, depth 3" not in lines


def test_of_many_circuits_with_news_a_report_has_the_rest(monkeypatch):
    case = records.one_differs().cases[0]
    cases = tuple(msgspec.structs.replace(case, name=f"{number}.qasm") for number in range(9))
    lines = shown(records.record(*cases), 80, monkeypatch)
    assert lines[-1] == "  4 more circuits: --report report.html shows all of them"


def test_each_of_several_differences_has_its_cause(monkeypatch):
    record = records.one_differs()
    rows = [
        msgspec.structs.replace(row, simulator=name, verdict=Verdict.DIFFERS)
        for row in record.cases[0].rows
        if row.causes
        for name in ("rigetti", "other")
    ]
    lines = shown(records.record(msgspec.structs.replace(record.cases[0], rows=tuple(rows))), 120, monkeypatch)
    assert "  The counts of rigetti fit the circuit with every rz turned the other way (p = 0.54)." in lines
    assert "  The counts of other fit the circuit with every rz turned the other way (p = 0.54)." in lines


def test_a_name_with_control_characters_does_not_control_the_terminal(monkeypatch):
    case = records.failures().cases[0]
    rows = tuple(msgspec.structs.replace(row, simulator=f"\x1b[2J{row.simulator}") for row in case.rows)
    text = "\n".join(shown(records.record(msgspec.structs.replace(case, rows=rows)), 80, monkeypatch))
    assert "\x1b" not in text
    assert "\\x1b[2Jcirq" in text


@pytest.mark.parametrize(
    ("reference", "detectable", "sentence"),
    [
        (
            Reference(kind="single", witnesses=("cirq",)),
            records.DETECTABLE,
            "Reference: exact, one witness alone (cirq).",
        ),
        (
            Reference(kind="exact", witnesses=("gateway", "cirq"), independent=1),
            Detectable(hardest=1, depolarised=1, one_outcome=1, one_bit=1),
            "So few shots show no difference that is spread over all outcomes;",
        ),
    ],
)
def test_what_could_not_have_been_seen_is_said(reference, detectable, sentence, monkeypatch):
    case = msgspec.structs.replace(records.one_differs().cases[0], reference=reference, detectable=detectable)
    assert sentence in " ".join(line.strip() for line in shown(records.record(case), 80, monkeypatch))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "the reference gives 0 always, rigetti never"),
        (
            {"counts": {"rigetti": {"0": 9_000, "1": 500, "2": 500}}},
            "the reference gives 0 always, rigetti in 9,000 of 10,000 shots",
        ),
        (
            {"expected": {"00": 0.5, "11": 0.5}, "counts": {"rigetti": {"00": 400, "01": 600}}},
            "the reference gives 01 never, rigetti in 600 of 1,000 shots",
        ),
        ({"expected": {"": 1.0}, "counts": {"rigetti": {"": 5}}}, "the reference gives its only outcome always"),
        ({"expected": {}}, ""),
        ({"counts": {}}, ""),
    ],
)
def test_a_reproducer_says_by_one_outcome_what_it_shows(changes, sentence):
    found: Reproducer = records.reproducer(**changes)
    assert shows(found).startswith(sentence)
    assert bool(shows(found)) is bool(sentence)


def test_a_reproducer_without_counts_says_how_far_exact_results_are_off(monkeypatch):
    case = msgspec.structs.replace(records.one_differs().cases[0], reproducers=(records.reproducer(counts={}),))
    text = " ".join(line.strip() for line in shown(records.record(case), 80, monkeypatch))
    assert "Reproducer  p < 1e-12, exact probabilities off by 1.00; 25 operations" in text
