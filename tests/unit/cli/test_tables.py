"""Tables leave out what matters least where the terminal is narrow, and truncate nothing."""

from __future__ import annotations

import pytest
from support.terminals import Screen

from gateway.cli.bars import bar, marked_bar
from gateway.cli.tables import Column, natural_width, print_table, table
from gateway.look.terminal import Terminal

COLUMNS = [Column("name"), Column("version", rank=2), Column("p", right=True), Column("time", right=True, rank=1)]
ROWS = [["cirq", "cirq-core 1.7.0", "0.10", "4.6 ms"], ["rigetti", "pyquil 4.22.0", "< 1e-12", "310 ms"]]


def lines(columns: int, monkeypatch: pytest.MonkeyPatch, rows: list[list[str]] = ROWS) -> list[str]:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("NO_COLOR", "1")
    terminal = Terminal(Screen())
    return terminal.render(table(terminal, COLUMNS, rows)).splitlines()


def test_columns_are_as_wide_as_their_longest_cell(monkeypatch):
    assert lines(80, monkeypatch) == [
        "  name      version                 p     time",
        "  cirq      cirq-core 1.7.0      0.10   4.6 ms",
        "  rigetti   pyquil 4.22.0     < 1e-12   310 ms",
    ]


@pytest.mark.parametrize(("columns", "head"), [(46, "name version p time"), (45, "name p time"), (40, "name p time")])
def test_the_least_important_column_is_left_out_first(columns, head, monkeypatch):
    assert " ".join(lines(columns, monkeypatch)[0].split()) == head


def test_what_always_stays_is_folded_and_not_cut_off(monkeypatch):
    name = "a" * 60
    shown = lines(40, monkeypatch, [[name, "1", "0.10", "4.6 ms"]])
    assert max(map(len, shown)) <= 40
    assert "".join(line.split()[0] for line in shown[1:]) == name


def test_wide_characters_take_two_columns(monkeypatch):
    assert natural_width([Column("")], [["量子"]], 3) == 2 + 4


def test_heads_are_dim_and_no_line_ends_in_spaces(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    terminal = Terminal(Screen())
    shown = terminal.render(table(terminal, COLUMNS, ROWS))
    assert "\x1b[2mname" in shown
    assert not any(line.endswith(" ") for line in shown.splitlines())


def test_a_table_is_printed_on_standard_output(capsys):
    print_table([Column("name")], [["cirq"]])
    assert capsys.readouterr().out == "  name\n  cirq\n"


@pytest.mark.parametrize(
    ("share", "width", "text"),
    [
        (0.0, 10, ""),
        (1e-9, 10, "▏"),
        (0.5, 10, "█████"),
        (0.51, 10, "█████▏"),
        (0.99, 10, "█████████▉"),
        (1.0, 10, "██████████"),
        (7.0, 10, "██████████"),
        (0.5, 0, ""),
    ],
)
def test_a_bar_is_exact_to_an_eighth_of_a_column(share, width, text):
    assert bar(share, width) == text


@pytest.mark.parametrize(
    ("share", "tick", "text"),
    [
        (0.2, 0.8, "▒▒      │"),
        (0.8, 0.2, "▒▒┃▒▒▒▒▒"),
        (0.8, 0.0, "┃▒▒▒▒▒▒▒"),
        (0.0, 0.5, "     │"),
        (0.0, 1.0, "         │"),
        (0.001, 0.5, "▒    │"),
        (0.5, None, "▒▒▒▒▒"),
    ],
)
def test_the_bar_of_a_difference_has_a_tick_at_the_reference(share, tick, text):
    parts = marked_bar(share, tick, 10)
    assert "".join(content for content, _ in parts) == text
    assert {style for content, style in parts if "▒" in content} <= {"red"}


def test_without_room_there_is_no_bar():
    assert "".join(content for content, _ in marked_bar(0.5, 0.2, 0)) == ""


def test_where_there_is_no_terminal_each_row_is_one_line(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "40")
    print_table([Column("name"), Column("state")], [["a" * 60, "failed: " + "b" * 60]])
    head, row = capsys.readouterr().out.splitlines()
    assert head.split() == ["name", "state"]
    assert row.split("   ")[-1] == "failed: " + "b" * 60
