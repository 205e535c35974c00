"""What is wrong with a text, and where."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from support.mutation import PROGRAMS, TOKENS

from gateway.circuit import Limits, parse
from gateway.door.circuits.diagnostics import MOST_ERRORS, read
from gateway.errors import GatewayError

INVALID = sorted((Path(__file__).parents[3] / "circuits" / "invalid").glob("*.qasm"))
HEAD = 'OPENQASM 3;\ninclude "stdgates.inc";\nqubit[2] q;\nbit[2] c;\n'
LIMITS = Limits()


def found(text: str) -> list[tuple[int, str]]:
    """Return the line of each error, and the characters that it is about."""
    lines = text.split("\n")
    errors = read(text, LIMITS).errors
    return [(each.line, lines[each.line - 1][each.column - 1 : each.end_column - 1]) for each in errors]


def messages(text: str) -> list[str]:
    return [each.message for each in read(text, LIMITS).errors]


@pytest.mark.parametrize(
    ("text", "errors"),
    [
        ("frob q[0];", [(5, "frob")]),
        ("h q[0]; x  q[ 1 ]; cx q[0], q[2]; h q[0];", [(5, "q[2]")]),
        ("rx(1, 2) q[0];", [(5, "rx")]),
        ("cx q[0], q[0];", [(5, "cx")]),
        ("rz(theta) q[0];", [(5, "theta")]),
        ("qubit[3] q;", [(5, "q")]),
        ("c = measure q[0];", [(5, "c = measure q[0]")]),
        ("// frob\nfrob q[0]; // frob", [(6, "frob")]),
        ("/* frob\n */ frob q[0];", [(6, "frob")]),
        ("gate g a {\n  h a;\n  frob a;\n}", [(7, "frob")]),
        ("if (c[0] == 1) {\n  x q[0];\n  frob q[1];\n}", [(7, "frob")]),
        ("for int i in [0:3] {\n  h q[0];\n  x q[i];\n}", [(7, "x q[i]")]),
        ("h q[0]; }", [(5, "}")]),
        ("for int i in [0:3] {\n  h q[0];\n", [(6, ";")]),
        ("qubit[1000000] r;", [(5, "qubit[1000000] r")]),
        ("pow(10000000) @ h q;", [(5, "pow(10000000) @ h q")]),
        ('include "other.inc";', [(5, "other.inc")]),
    ],
)
def test_the_characters_that_are_wrong_are_named(text: str, errors: list[tuple[int, str]]) -> None:
    assert found(HEAD + text) == errors


@pytest.mark.parametrize(
    ("text", "errors"),
    [
        ("h q[0]\nx q[1];\nc = measure q;", [(5, "]")]),
        ("h q[0] // first\nx q[1]\nc = measure q", [(7, "q")]),
        ("h q[0] // first\nx q[1] /* ; */\nc = measure q;", [(5, "]"), (6, "]")]),
        ("int x = 3\nh q[0];", [(5, "3")]),
        ("barrier\n q[7];", [(6, "q[7]")]),
        ("cx q[0],\n q[7];", [(6, "q[7]")]),
        ("rx(0.1\n+ frob) q[0];", [(6, "frob")]),
    ],
)
def test_a_missing_semicolon_is_told_where_it_is_missing(text: str, errors: list[tuple[int, str]]) -> None:
    assert found(HEAD + text) == errors


def test_statements_that_only_apply_something_are_told_one_after_the_other() -> None:
    text = HEAD + "h q[0]; frob q[1]; cx q[0], q[0];\nx q[5];\nrx(1, 2) q[0];\nfrob q[0];\nh r;\nh q;"
    assert found(text) == [(5, "frob"), (5, "cx"), (6, "q[5]"), (7, "rx"), (8, "frob"), (9, "r")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("qubti[2] r;\nh r[0];\nh q[9];", ["qubti", "q[9]"]),
        ("qubti r;\nh r;\nh r;\nh q[9];", ["qubti", "q[9]"]),
        ("flaot theta;\nrz(theta) q[0];", ["flaot"]),
        ("gate g a { frob a; }\ng q[0];", ["frob"]),
        ("let r = q[0:7];\nh r;", ["let r = q[0:7]"]),
        ("bit[3 d;\nd[0] = measure q[0];", ["d"]),
    ],
)
def test_nothing_is_told_that_may_be_wrong_only_because_of_a_statement_before_it(text: str, words: list[str]) -> None:
    assert [word for _, word in found(HEAD + text)] == words


def test_the_number_of_errors_is_bounded() -> None:
    assert len(found(HEAD + "frob q[0];\n" * 1000)) == MOST_ERRORS


def test_messages_do_not_repeat_the_place() -> None:
    assert messages(HEAD + "cnit q[0], q[1];") == ["there is no gate named 'cnit'; did you mean 'cnot'?"]
    assert messages(HEAD + "h q[0]; }") == ["'}' is not expected here"]
    assert messages(HEAD + "h q[0]\nx q[1];") == ["'h q[0]' is not ended by ';'"]


@pytest.mark.parametrize("path", INVALID, ids=[path.stem for path in INVALID])
def test_every_invalid_text_of_the_corpus_has_an_error_on_the_line_that_the_parser_names(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    with pytest.raises(GatewayError) as info:
        parse(text)
    errors = read(text, LIMITS).errors
    named, missing = getattr(info.value, "line", None), "is not ended by ';'"
    assert errors
    if named is not None and missing not in errors[0].message and "ends too early" not in errors[0].message:
        assert errors[0].line == named


@pytest.mark.parametrize(
    "text", ["", "  \n", "hello", "OPENQASM 9;", '{"a": 1}', "\0", "é", "OPENQASM 3;\n/* never closed"]
)
def test_what_is_no_program_is_told_so(text: str) -> None:
    assert len(read(text, LIMITS).errors) == 1


def test_a_good_text_is_a_circuit() -> None:
    circuit, errors = read(HEAD + "h q; c = measure q;", LIMITS)
    assert circuit is not None
    assert len(circuit.operations) == 4
    assert not errors


@pytest.mark.parametrize("seed", range(8))
def test_places_are_inside_of_damaged_texts(seed: int) -> None:
    rng = random.Random(seed)
    small = [text for text in PROGRAMS if len(text) < 2_000]
    for _ in range(40):
        text = rng.choice(small)
        for _ in range(rng.randint(1, 3)):
            start = rng.randrange(len(text) + 1)
            text = text[:start] + rng.choice(["", rng.choice(TOKENS)]) + text[start + rng.randrange(6) :]
        lines = text.split("\n")
        for each in read(text, Limits(64, 64, 10_000)).errors:
            assert each.message
            assert each.line <= len(lines)
            if each.line:
                assert 1 <= each.column < each.end_column <= max(len(lines[each.line - 1]), 1) + 1


@pytest.mark.parametrize("seed", range(6))
def test_of_planted_errors_only_those_are_told(seed: int) -> None:
    rng = random.Random(seed)
    lines = [f"{rng.choice(['h', 'x', 's', 'rx(0.1)', 'rz(pi/3)'])} q[{rng.randrange(2)}];" for _ in range(60)]
    planted = sorted(rng.sample(range(60), 10))
    for line in planted:
        lines[line] = rng.choice(["frob q[0];", "h q[7];", "cx q[1], q[1];", "rx q[0];", "h r;", "ccx q[0], q[1];"])
    assert [line - 5 for line, _ in found(HEAD + "\n".join(lines))] == planted
