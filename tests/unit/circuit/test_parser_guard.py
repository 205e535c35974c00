from __future__ import annotations

import contextlib

import pytest

from gateway.circuit import Limits
from gateway.circuit.openqasm.parser_guard import screen
from gateway.errors import CircuitInvalidError, CircuitSyntaxError, LimitError

HEAD = 'OPENQASM 3.0;\ninclude "stdgates.inc";\nqubit[3] q;\nbit[3] c;\n'
DOUBLING = "gate g0 a { x a; }" + "".join(f"gate g{k + 1} a {{ g{k} a; g{k} a; }}" for k in range(40))


@pytest.mark.parametrize(
    "text",
    [
        HEAD,
        HEAD + "for int i in [0:9] { x q[i]; for int j in {1,2,3} y q[j]; }",
        HEAD + "array[int, 3] a = {1, 2, 3}; x q[{0, 1}];",
        HEAD + "if (c == 1) { x q[0]; } else if (c == 2) { h q[0]; } else { y q; }",
        HEAD + "switch (c) { case 1 { x q[0]; } default { y q[0]; } }",
        HEAD + "// include 'no'; ((((\n/* include \"no\"; [[[ */ x q;",
        HEAD + 'defcalgrammar "(((;{{";',
        HEAD + "@note (((\n#pragma ((((\npragma {{{\nctrl @ x q[0], q[1];",
        HEAD + "def f(qubit[2] a) -> bit { bit[2] b; return measure a[0]; }",
        DOUBLING,
    ],
)
def test_ordinary_text_passes(text):
    screen(text, Limits())


@pytest.mark.parametrize("path", ["/etc/passwd", "stdgates.inc/../x", "", "QELIB1.INC"])
def test_an_include_of_a_file_is_refused_by_its_path(path):
    with pytest.raises(CircuitInvalidError, match=f"line 5: include {path!r}") as caught:
        screen(f'{HEAD}include "{path}";', Limits())
    assert (caught.value.rule, caught.value.line) == ("include", 5)


def test_an_include_inside_a_block_or_in_single_quotes_is_refused_too():
    for text in (HEAD + "if (c == 1) { include 'x'; }", HEAD + "include 'x' {"):
        with pytest.raises(CircuitInvalidError, match="include 'x'"):
            screen(text, Limits())


@pytest.mark.parametrize(
    ("text", "limit", "requested"),
    [
        ("qubit[5000] q;", "qubits", 5000),
        ("qubit[4_000] q; qubit[97] r;", "qubits", 4097),
        ("qreg q[0x2000];", "qubits", 8192),
        ("qubit q;" * 4097, "qubits", 4097),
        ("qubit[99999999999999999999999999] q;", "qubits", 10**18),
        ("bit[70000] c;", "clbits", 70000),
        ("creg c[70000];", "clbits", 70000),
        (HEAD + "for int i in [0:999999] { for int j in [0:9] x q[0]; }", "operations", 10**7),
        (HEAD + "for int i in [10:-1:1] for int j in {1,2} { for uint k in [1:1:60000] x q[0]; }", "operations", None),
        (HEAD + DOUBLING + "g40 q[0];", "operations", 2**40),
        (HEAD + DOUBLING + "def f(qubit a) { g30 a; } f(q[0]);", "operations", 2**30),
    ],
)
def test_what_would_be_too_large_is_refused_before_it_is_parsed(text, limit, requested):
    with pytest.raises(LimitError, match=limit) as caught:
        screen(text, Limits())
    assert caught.value.limit == limit
    assert requested in {None, caught.value.requested}


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("(" * 100_000, "brackets"),
        ("x" + "[" * 100_000, "brackets"),
        ("if (c) {" * 10_000, "brackets"),
        ("int a = " + "-" * 100_000 + "1;", "operators"),
        ("int a = " + "1+" * 100_000 + "1;", "operators"),
        ("inv @ " * 10_000 + "x q;", "operators"),
        ("a" + "[0]" * 10_000 + ";", "operators"),
        ("if(a)" * 10_000 + "x;", "control flow"),
        ("if(a){}" + "else if(b){}" * 10_000, "else if"),
        ("x q;" * 30_000, "statements"),
        ("x " * 1_000_000, "tokens"),
    ],
)
def test_what_would_swamp_the_library_is_refused_in_time(text, limit):
    with pytest.raises(LimitError, match=limit):
        screen(text, Limits())


@pytest.mark.parametrize(
    ("text", "message"), [("x q[0]);", "closes nothing"), ("x q[0};", "closes nothing"), ("x (", "not closed")]
)
def test_brackets_must_match(text, message):
    with pytest.raises(CircuitSyntaxError, match=rf"line 5, column \d+: .*{message}"):
        screen(HEAD + text, Limits())


@pytest.mark.parametrize(
    "text", ["qubit[1²] q;", "for int i in [0:1²] x q;", "qubit[n] q;", "qubit[ q;", "bit[0xZZ] c;", "in [", "gate"]
)
def test_what_cannot_be_counted_is_left_to_the_parser(text):
    with contextlib.suppress(CircuitSyntaxError):
        screen(text, Limits())


def test_an_open_comment_is_refused_with_its_line():
    with pytest.raises(CircuitSyntaxError, match="line 5, column 1: a comment is not closed"):
        screen(HEAD + "/* (", Limits())


def test_definitions_that_are_not_used_cost_nothing():
    screen(HEAD + DOUBLING + "g3 q[0];", Limits(operations=8))
    with pytest.raises(LimitError, match="8 operations"):
        screen(HEAD + DOUBLING + "g3 q[0];", Limits(operations=7))
