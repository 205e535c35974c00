"""What gateway run prints of counts, probabilities and amplitudes."""

from __future__ import annotations

import pytest
from support.terminals import Screen

from gateway.amplitudes import Amplitudes
from gateway.cli.outcomes import draw
from gateway.counts import Counts, Probabilities, Result, Statevector
from gateway.density_matrix import DensityMatrix
from gateway.expectation import Expectation
from gateway.look.terminal import Terminal
from gateway.provenance import Provenance
from gateway.shot_memory import Memory

ORIGIN = Provenance(
    simulator="qulacs", version="0.6.14", seed=7, sampler="shared", parse_s=1e-4, build_s=1e-4, run_s=4e-4
)
PHASE = {"000": 219, "001": 503, "010": 5802, "011": 2583, "100": 389, "101": 173, "110": 170, "111": 161}
LONG = {f"{'01' * 26}{code:08b}": 400 - code for code in range(256)} | {"0" * 60: 1000}


def shown(result: Result, columns: int, monkeypatch: pytest.MonkeyPatch, encoding: str = "utf-8") -> list[str]:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("NO_COLOR", "1")
    terminal = Terminal(Screen(encoding))
    return terminal.render(*draw(result, terminal)).splitlines()


def test_counts_at_80_columns(monkeypatch):
    assert shown(Counts(PHASE, provenance=ORIGIN), 80, monkeypatch) == [
        "  outcome   shots      %",
        "  000         219    2.2   █▉",
        "  001         503    5.0   ████▌",
        "  010       5,802   58.0   ███████████████████████████████████████████████████▎",
        "  011       2,583   25.8   ██████████████████████▉",
        "  100         389    3.9   ███▍",
        "  101         173    1.7   █▌",
        "  110         170    1.7   █▌",
        "  111         161    1.6   █▍",
        "  10,000 shots, qulacs 0.6.14, seed 7, shared sampler; clbit 0 rightmost; bars",
        "  end at 60 %; parse, build and run took 0.60 ms",
    ]


def test_bars_have_at_most_60_columns(monkeypatch):
    assert max(map(len, shown(Counts(PHASE), 200, monkeypatch)[:9])) == 27 + 58


def test_counts_at_40_columns(monkeypatch):
    lines = shown(Counts(PHASE), 40, monkeypatch)
    assert lines[3] == "  010       5,802   58.0   ████████████▋"
    assert max(map(len, lines)) <= 40


def test_of_many_outcomes_the_most_frequent_are_shown_and_the_column_adds_up(monkeypatch):
    lines = shown(Counts(LONG), 120, monkeypatch)
    assert lines[1].split()[:2] == ["0×60", "1,000"]  # noqa: RUF001
    assert lines[15].split()[:3] == ["243", "more", "64,638"]
    assert lines[16].startswith("  70,760 shots; 0×60 stands for 60 zeros; clbit 0 rightmost; bars end at")  # noqa: RUF001
    assert sum(int(line.replace(" more", "").split()[1].replace(",", "")) for line in lines[1:16]) == 70_760


def test_bars_go_where_outcomes_are_long_and_no_outcome_is_cut_off(monkeypatch):
    lines = shown(Counts(LONG), 80, monkeypatch)
    assert lines[2].split() == ["01" * 26 + "00000000", "400", "0.57"]
    assert "bars" not in " ".join(lines)
    folded = shown(Counts(LONG), 40, monkeypatch)
    assert "".join(line.split()[0] for line in folded[2:5]) == "01" * 26 + "00000000"
    assert max(map(len, folded)) <= 40


def test_bits_unlike_those_of_the_first_outcome_are_underlined(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    terminal = Terminal(Screen())
    text = terminal.render(*draw(Counts({"10" * 11: 3, "10" * 10 + "11": 2}), terminal))
    assert "10" * 10 + "1\x1b[4m1\x1b[0m" in text
    assert "underlined" in text


def test_where_nothing_is_underlined_nothing_says_so(monkeypatch):
    assert "underlined" not in " ".join(shown(Counts({"10" * 11: 3, "10" * 10 + "11": 2}), 80, monkeypatch))


def test_probabilities(monkeypatch):
    assert shown(Probabilities({"00": 0.5, "10": 1e-9, "11": 0.5}, 2), 60, monkeypatch) == [
        "  outcome   probability",
        "  00           0.500000   ██████████████████████████████████",
        "  10               1e-9   ▏",
        "  11           0.500000   ██████████████████████████████████",
        "  exact; clbit 0 rightmost; bars end at 50 %",
    ]


def test_amplitudes(monkeypatch):
    assert shown(Statevector([0.6, 0, 0, -0.8j]), 60, monkeypatch) == [
        "  state              amplitude   probability",
        "  00      +0.600000 +0.000000i        0.3600   ███████▎",
        "  11      −0.000000 −0.800000i        0.6400   ████████████▊",  # noqa: RUF001
        "  qubit 0 rightmost; bars end at 65 %",
    ]


def test_many_amplitudes_are_not_all_shown(monkeypatch):
    lines = shown(Statevector([0.125] * 64), 60, monkeypatch)
    assert lines[15].split() == ["50", "more", "0.7812"]


@pytest.mark.parametrize(
    ("result", "line"),
    [
        (Counts({"": 4}), "  no clbits       4   100.0   ██████████"),
        (Counts({}, width=2), "  0 shots; clbit 0 rightmost"),
        (Probabilities({"": 1.0}, 0), "  no clbits      1.000000   ████████████"),
        (Statevector([1]), "  no clbits   +1.000000 +0.000000i"),
    ],
)
def test_the_smallest_results(result, line, monkeypatch):
    assert line in shown(result, 40, monkeypatch)


def test_another_encoding_has_other_bars(monkeypatch):
    lines = shown(Counts({"0": 3, "1": 1}), 60, monkeypatch, "ascii")
    assert lines[1] == "  0             3   75.0   " + "#" * 31
    assert "\n".join(lines).isascii()


def test_a_result_type_of_somebody_elses_is_printed_as_it_says_itself(monkeypatch):
    result = Result.__new__(Result)
    assert shown(result, 80, monkeypatch) == [repr(result)]


def test_expectation_values_have_a_line_each(monkeypatch):
    lines = shown(Expectation([0.5, -1.25], [0.125, 0.0], 2, provenance=ORIGIN), 80, monkeypatch)
    assert lines == [
        "  observable       value   standard error",
        "           0   +0.500000             0.12",
        "           1   \N{MINUS SIGN}1.250000                0",
        "  estimated from 2 groups of strings, each measured with all shots; qulacs",
        "  0.6.14, seed 7, shared sampler; parse, build and run took 0.60 ms",
    ]
    assert shown(Expectation([1.0]), 80, monkeypatch) == [
        "  observable       value",
        "           0   +1.000000",
        "  exact",
    ]


def test_a_memory_is_counted_and_begins_in_order(monkeypatch):
    lines = shown(Memory([[1], [0]] * 10), 80, monkeypatch)
    assert lines[1].startswith("  0            10   50.0")
    assert lines[-1] == "  in order: 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, ... 6 more"


def test_some_amplitudes_and_the_diagonal_of_a_density_matrix(monkeypatch):
    lines = shown(Amplitudes({"11": 0.6, "00": 0.8j}), 80, monkeypatch)
    assert lines[1].startswith("  00      +0.000000 +0.800000i        0.6400")
    lines = shown(DensityMatrix([[0.75, 0.125j], [-0.125j, 0.25]]), 80, monkeypatch)
    assert lines[1].startswith("  0          0.750000")
    assert lines[3].startswith("  the diagonal of a density matrix of purity 0.656250; qubit 0 rightmost")
