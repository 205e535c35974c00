"""An error is one sentence, with a mark in a terminal; one in a circuit shows the place."""

from __future__ import annotations

import sys

import pytest
from support.terminals import Screen

from gateway.circuit import Circuit
from gateway.cli import progress
from gateway.cli.complaints import CircuitFileError, about_circuit, complain, excerpt, remark
from gateway.cli.progress import Progress
from gateway.errors import CircuitSyntaxError, LimitError, RequestError

TEXT = "OPENQASM 3;\nqubit[2] q;\nrz(0.6) q[0]; cnot q[0], q[1];\nh q[0];\n"


ABOVE, LINE, BELOW = "    2  qubit[2] q;", "    3  rz(0.6) q[0]; cnot q[0], q[1];", "    4  h q[0];"


@pytest.mark.parametrize(
    ("line", "column", "message", "lines"),
    [
        (3, 15, "there is no gate cnot", [ABOVE, LINE, f"{'^^^^':>25}", BELOW]),
        (3, None, "there is no gate named 'cnot'", [ABOVE, LINE, f"{'^^^^':>25}", BELOW]),
        (3, None, "'q' is not a register", [ABOVE, LINE, BELOW]),  # it stands there more than once
        (3, None, "it is too long", [ABOVE, LINE, BELOW]),
        (3, 13, "", [ABOVE, LINE, f"{'^':>20}", BELOW]),
        (1, 1, "", ["    1  OPENQASM 3;", "       ^^^^^^^^", ABOVE]),
        (5, 1, "", [BELOW, "    5", "       ^"]),
        (4, 99, "", [LINE, BELOW, f"{'^':>15}", "    5"]),
        (9, 1, "", [""]),
        (0, 1, "", [""]),
    ],
)
def test_carets_are_under_what_is_wrong(line, column, message, lines):
    assert excerpt(TEXT, line, column, message).split("\n") == lines


def test_tabs_and_control_characters_move_no_caret():
    assert excerpt("\t\x1bfoo q;", 1, 3, "").split("\n") == ["    1      \\x1bfoo q;", "               ^^^"]


def test_lines_end_where_the_parser_ends_them():
    assert excerpt("a\x0cb\r\nfoo;", 2, 1, "").split("\n") == ["    1  a\\x0cb", "    2  foo;", "       ^^^"]


def test_of_a_long_line_the_part_around_the_error_is_shown():
    text = "x q; " * 1000 + "foo q;"
    shown, carets = excerpt(text, 1, 5001, "").split("\n")
    assert len(shown) <= 7 + 160
    assert shown[carets.index("^") :].startswith("foo q;")


def test_an_error_with_a_place_names_the_file():
    with (
        pytest.raises(CircuitFileError, match=r"^bell\.qasm, line 2, column 3: no$") as caught,
        about_circuit("bell.qasm", TEXT),
    ):
        raise CircuitSyntaxError("no", line=2, column=3)
    assert caught.value.excerpt.startswith("    1  OPENQASM 3;")
    assert isinstance(caught.value.__cause__, CircuitSyntaxError)


@pytest.mark.parametrize("error", [LimitError("too large"), CircuitSyntaxError("somewhere"), RequestError("no shots")])
def test_an_error_without_a_place_stays_as_it_is(error):
    with pytest.raises(type(error), match=str(error)) as caught, about_circuit("bell.qasm", TEXT):
        raise error
    assert caught.value is error


def test_the_parsers_errors_have_such_places():
    text = "OPENQASM 3;\nqubit q;\nh q\nx q;\n"
    with pytest.raises(CircuitFileError, match="line 4, column 1") as caught, about_circuit("a.qasm", text):
        Circuit.from_openqasm(text)
    assert caught.value.excerpt.split("\n")[1:3] == ["    4  x q;", "       ^"]


def test_without_a_terminal_it_is_a_line_for_programs(capsys):
    complain("broken.qasm, line 1: no", "    1  x\n       ^", "gateway run")
    assert capsys.readouterr().err == "gateway run: broken.qasm, line 1: no\n    1  x\n       ^\n"


def test_what_would_control_a_terminal_is_spelt_out_wherever_it_is_written(monkeypatch, capsys):
    sentence = "the server said: \x1b[2J\x07\x9b31m\rGateway: all agree"
    spelt = r"the server said: \x1b[2J\x07\x9b31m\rGateway: all agree"
    complain(sentence, "    1  \x1b]0;x")
    assert capsys.readouterr().err == f"gateway: {spelt}\n    1  \\x1b]0;x\n"
    remark(sentence)
    assert capsys.readouterr().err == f"gateway: {spelt}\n"
    monkeypatch.setattr(progress, "QUIET_S", 0.0)
    with Progress(sentence) as shown:
        shown._thread.join()
    assert capsys.readouterr().err == f"gateway: {spelt}\n"
    monkeypatch.setenv("NO_COLOR", "1")
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    complain(sentence)
    assert screen.getvalue() == f"! {spelt}\n"


def test_where_rich_is_not_installed_as_in_the_image_it_is_plain(monkeypatch):
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setitem(sys.modules, "rich", None)
    complain("port 8088 is taken", program="gateway serve")
    assert screen.getvalue() == "gateway serve: port 8088 is taken\n"


def test_what_somebody_should_know_is_dim_in_a_terminal(monkeypatch, capsys):
    remark("left out: stim")
    assert capsys.readouterr().err == "gateway: left out: stim\n"
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    remark("left out: stim")
    assert screen.getvalue() == "  \x1b[2mleft out: stim\x1b[0m\n"


def test_in_a_terminal_it_has_a_mark_and_says_first_what_it_is_about(monkeypatch):
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    complain("broken.qasm, line 1: there is no gate cnot", "    1  cnot\n       ^^^^")
    assert screen.getvalue() == (
        "\x1b[31m!\x1b[0m \x1b[1mbroken.qasm, line 1:\x1b[0m there is no gate cnot\n\n"
        "\x1b[2m    1  \x1b[0mcnot\n\x1b[31m       ^^^^\x1b[0m\n"
    )


def test_a_long_sentence_is_folded_in_a_terminal(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    complain("rigetti does not answer on port 8086 (connection refused). gateway up rigetti starts it.")
    assert screen.getvalue() == (
        "! rigetti does not answer on port 8086 (connection refused). gateway up rigetti\n  starts it.\n"
    )
