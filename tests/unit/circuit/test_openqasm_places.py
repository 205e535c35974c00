"""Where in a text an error or an operation is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.circuit import parse
from gateway.circuit.gates import GATES
from gateway.circuit.openqasm.places import faulty_statement, statement_of

CORPUS = sorted((Path(__file__).parents[2] / "circuits").glob("openqasm*/*.qasm"))
HEAD = 'OPENQASM 3;\ninclude "stdgates.inc";\nqubit[2] q;\nbit[2] c;\n'


def at_fault(text: str) -> str | None:
    span = faulty_statement(text)
    return None if span is None else text[span.start : span.end]


def maker(text: str, operation: int) -> str | None:
    span = statement_of(text, operation)
    return None if span is None else text[span.start : span.end]


@pytest.mark.parametrize(
    ("text", "statement"),
    [
        (HEAD + "h q[0]; h q[2]; x q[0];", "h q[2]"),
        (HEAD + "gate a q { h q; nothing q; } a q[0];", "nothing q"),
        (HEAD + "if (c[0] == 1) {\n  x q[0]; frob q[1];\n}", "frob q[1]"),
        (HEAD + "if (c[0] == 1)\n  frob q[1];", "if (c[0] == 1)\n  frob q[1]"),
        (HEAD + "// h q[7];\n/* x */ h q[9] ; x q[0];", "h q[9]"),
        (HEAD + "for int i in [0:5] { h q[i]; }", "for int i in [0:5] {"),
        (HEAD + "h q[0]", "h q[0]"),
        (HEAD + "qubit[100000000] r; h r;", "qubit[100000000] r"),
        (HEAD + "h q[0]; }", "}"),
        ("OPENQASM 7; qubit q;", "OPENQASM 7"),
        (HEAD, None),
        (HEAD + "h q; /* never closed", None),
    ],
)
def test_reading_fails_at_a_statement(text: str, statement: str | None) -> None:
    assert at_fault(text) == statement


def test_an_operation_is_made_by_a_statement() -> None:
    text = HEAD + "h q;\ncx q[0], q[1];\nfor int i in [0:1] { rz(0.3 * i) q[i]; }\nc = measure q;"
    assert [maker(text, index) for index in range(7)] == [
        "h q", "h q", "cx q[0], q[1]", "for int i in [0:1] {", "for int i in [0:1] {", "c = measure q", "c = measure q",
    ]  # fmt: skip
    assert maker(text, 7) is None


@pytest.mark.parametrize("path", CORPUS, ids=[path.stem for path in CORPUS])
def test_a_gate_is_made_by_the_statement_that_applies_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for index, operation in list(enumerate(parse(text).operations))[:40]:
        made_by = maker(text, index)
        assert made_by is not None
        word = re.match(r"\w*", made_by)[0]  # type: ignore[index]  # it always matches
        if word in GATES and "=" not in made_by and f"gate {word}" not in text:
            assert operation.name == word
