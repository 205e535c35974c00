from __future__ import annotations

import math
import re
from contextlib import suppress
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.reference import distribution, unitary

from gateway.circuit import parse
from gateway.circuit.circuit import DEFAULT_LIMITS, Circuit, Limits, Operation
from gateway.circuit.openqasm.reader import read_program
from gateway.errors import BY_CODE, CircuitInvalidError, CircuitSyntaxError, GatewayError, LimitError, UnsupportedError

CIRCUITS = Path(__file__).parents[2] / "circuits"
UNASSIGNED = "unassigned variable"
INVALID = sorted((CIRCUITS / "invalid").glob("*.qasm"))


def parsed(text: str, limits: Limits = DEFAULT_LIMITS) -> Circuit:
    """Read a text without the fast way of flat statements, which has its own tests."""
    return Circuit(*read_program(text, limits, is_fast=False))


def shown(operation: Operation) -> str:
    """``x 0 if 0=1`` and so on."""
    tests = [
        f"{','.join(map(str, test.clbits))}{'=' if test.equal else '!='}{test.value}" for test in operation.condition
    ]
    return " if ".join([str(operation), " & ".join(tests)] if tests else [str(operation)])


def flat(text: str) -> list[str]:
    circuit = parsed(text)
    circuit.validate()
    return [shown(operation) for operation in circuit.operations]


def matrix(text: str) -> np.ndarray:
    return unitary(parsed(text))


# ------------------------------------------------------------------ registers


@pytest.mark.parametrize(
    ("operand", "expected"),
    [
        ("q", [0, 1, 2, 3, 4]),
        ("q[1]", [1]),
        ("q[-1]", [4]),
        ("q[1:3]", [1, 2, 3]),
        ("q[0:2:4]", [0, 2, 4]),
        ("q[4:-2:0]", [4, 2, 0]),
        ("q[-2:-1]", [3, 4]),
        ("q[3:]", [3, 4]),
        ("q[:1]", [0, 1]),
        ("q[{4, 0}]", [4, 0]),
        ("q[1:3][1]", [2]),
        ("part", [1, 2, 0]),
        ("part[-1]", [0]),
    ],
)
def test_an_operand_names_these_qubits(operand: str, expected: list[int]) -> None:
    assert flat(f"qubit[5] q; let part = q[1:2] ++ q[{{0}}]; x {operand};") == [f"x {qubit}" for qubit in expected]


def test_clbits_have_slices_too() -> None:
    text = (
        "qubit[3] q; bit[4] c; bit d; let e = c[2:3]; e = measure q[0:1]; c[{1, 0}] = measure q[1:2]; d = measure q[0];"
    )
    assert flat(text) == ["measure 0 -> 2", "measure 1 -> 3", "measure 1 -> 1", "measure 2 -> 0", "measure 0 -> 4"]


def test_registers_are_concatenated_in_the_order_of_their_declaration() -> None:
    circuit = parsed("bit[2] c; qubit a; qreg b[2]; creg d[3]; qubit[2] e; cx a, e[1]; d[0] = measure b[1];")
    assert (circuit.num_qubits, circuit.num_clbits) == (5, 5)
    assert list(map(shown, circuit.operations)) == ["cx 0 4", "measure 2 -> 2"]


def test_one_qubit_goes_along_a_register() -> None:
    assert flat("qubit a; qubit[2] b; qubit[2] c; ccx a, b, c;") == ["ccx 0 1 3", "ccx 0 2 4"]


def test_physical_qubits_make_the_circuit_as_wide_as_the_highest() -> None:
    circuit = parsed("bit c; cx $3, $0; barrier $1; c = measure $3;")
    assert circuit.num_qubits == 4
    assert list(map(shown, circuit.operations)) == ["cx 3 0", "barrier 1", "measure 3 -> 0"]


# ------------------------------------------------------------------ values


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("2 ** 3 ** 2", 512), ("-2 ** 2", -4), ("7 % 3", 1), ("1 << 4 | 1", 17), ("0b1100 >> 2", 3), ("6 & 3", 2),
        ("6 ^ 3", 5), ("~5 & 0xF", 10), ("3 * (1 + 2)", 9), ("pi / 2", math.pi / 2), ("tau", math.tau),
        ("euler", math.e), ("2 ** -1", 0.5), ("8 / 2", 4), ("1.0 / 2", 0.5), ("3 > 2 && !(1 == 2)", 1),
        ("false || 2 != 2", 0), ("popcount(0b1011)", 3), ("sin(pi / 2)", 1), ("arccos(0.0)", math.pi / 2),
        ("arctan(1.0)", math.pi / 4), ("exp(0)", 1), ("log(euler)", 1), ("sqrt(16)", 4), ("floor(-1.5)", -2),
        ("ceiling(1.2)", 2), ("mod(7, 4)", 3), ("int(2.9)", 2), ("int(7) + float(1)", 8),
        ("int[3](5)", -3), ("uint[2](7)", 3), ("bool(4)", 1), ("angle(-pi / 2)", 1.5 * math.pi),
        ("angle[2](1.7)", math.pi / 2), ('uint[4]("0110")', 6), ('popcount("0110")', 2), ("rotl(uint[4](9), 1)", 3),
        ("rotr(uint[4](9), 1)", 12), ("~uint[4](9)", 6), ("uint[4](9) << 1", 2), ("uint[4](9) + uint[4](9)", 2),
        ("sizeof(q)", 3), ("int(7) / 2.0", 3.5), ("int(-7 / 2)", -3),
    ],
)  # fmt: skip
def test_an_expression_has_this_value(expression: str, value: float) -> None:
    (operation,) = parsed(f"qubit[3] q; rx({expression}) q[0];").operations
    assert operation.params[0] == pytest.approx(value)


@pytest.mark.parametrize(
    ("statements", "value"),
    [
        ("int a = 7 / 2;", 3), ("int a = 5; a += 2; a *= a;", 49), ("int[4] a = 7; a += 2;", -7), ("uint[3] a = 9;", 1),
        ("float a = 1; a /= 4;", 0.25), ("angle a = 5 * pi;", math.pi), ("bool a = 3 > 2;", 1), ("bit a = 1;", 1),
        ("const int k = 2; int a = k ** 3;", 8), ("int a = 1; a <<= 3; a |= 1; a ^= 2;", 11), ("int a; a = 4;", 4),
        ("int a = 17; a %= 5; a **= 3;", 8), ('bit[3] b = "100"; b[0] = 1; uint[3] a = b;', 5),
        ('bit[4] b = "1010"; int a = b[1] + b[2:3];', 3), ("int a = 3; { int a = 5; } a -= 1;", 2),
        ("int b = 1; { b = 6; } int a = b;", 6),
    ],
)  # fmt: skip
def test_a_variable_ends_with_this_value(statements: str, value: float) -> None:
    (operation,) = parsed(f"{statements} qubit q; rx(a) q;").operations
    assert operation.params[0] == pytest.approx(value)


# ------------------------------------------------------------------ control flow


@pytest.mark.parametrize(
    ("loop", "expected"),
    [
        ("for int i in [0:2] { x q[i]; }", "012"),
        ("for int i in [4:-2:0] x q[i];", "420"),
        ("for uint i in {1, 4} { x q[i]; }", "14"),
        ("for int i in [1:0] { x q[i]; }", ""),
        ("for int i in [0:1] { for int j in [i:1] { x q[2 * i + j]; } }", "013"),
        ("for int i in [0:4] { if (i == 1) continue; if (i == 3) break; x q[i]; }", "02"),
        ("int i = 0; while (i < 3) { x q[i]; i += 2; }", "02"),
        ("int i = 0; while (true) { i += 1; if (i > 3) break; x q[i]; }", "123"),
        ('int i = 0; for bit b in "01101" { if (b) x q[i]; i += 1; }', "023"),
        ("if (2 > 1) x q[0]; else x q[1];", "0"),
        ("switch (3) { case 1, 3 { x q[2]; } case 2 { x q[1]; } default { x q[0]; } }", "2"),
        ("switch (7) { case 1 { x q[2]; } default { x q[0]; } }", "0"),
        ("switch (7) { case 1 { x q[2]; } }", ""),
        ("x q[0]; end; x q[1];", "0"),
        ("box { x q[0]; { x q[1]; } }", "01"),
        ("@note here\nx q[3];", "3"),
    ],
)
def test_control_flow_is_unrolled(loop: str, expected: str) -> None:
    assert flat(f"qubit[5] q; {loop}") == [f"x {qubit}" for qubit in expected]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("c == 2", ["0,1=2"]),
        ("2 == c", ["0,1=2"]),
        ("c != 2", ["0,1!=2"]),
        ('c == "10"', ["0,1=2"]),
        ("c == 9", []),
        ("c", ["0,1!=0"]),
        ("!c", ["0,1=0"]),
        ("bool(c)", ["0,1!=0"]),
        ("c < 3", ["0,1!=3"]),
        ("c >= 2", ["1=1"]),
        ("c[0]", ["0=1"]),
        ("!c[1]", ["1=0"]),
        ("c[0] == 0", ["0=0"]),
        ("c[0] != true", ["0=0"]),
        ("c[0] && !c[1]", ["0,1=1"]),
        ("c[0] || c[1]", ["0,1!=0"]),
        ("c[0] ^ c[1]", ["0,1=2", "0,1=1"]),
        ("c[0] == c[1]", ["0,1=0", "0,1=3"]),
        ("~c == 1", ["0,1=2"]),
        ("c[0:1] == 1", ["0,1=1"]),
        ("int(c) + 1 == 3", ["0,1=2"]),
        ("popcount(c) == 2", ["0,1=3"]),
        ("1 == 2 && c[0]", []),
        ("mask[1] & c[0]", ["0=1"]),
        ("c[0] || true", [""]),
    ],
)
def test_a_condition_becomes_these_comparisons(condition: str, expected: list[str]) -> None:
    text = f'qubit q; bit[2] c; const bit[2] mask = "10"; if ({condition}) x q;'
    found = [line.removeprefix("x 0").removeprefix(" if ") for line in flat(text)]
    assert sorted(found) == sorted(expected)


def test_else_and_nested_conditions() -> None:
    text = "qubit[3] q; bit[2] c; bit d; if (c == 1) { x q[0]; if (d) x q[1]; } else x q[2];"
    assert flat(text) == ["x 0 if 0,1=1", "x 1 if 0,1=1 & 2=1", "x 2 if 0,1!=1"]


def test_a_switch_on_measured_bits_has_a_condition_for_each_case() -> None:
    text = "qubit[3] q; bit[2] c; switch (c) { case 0, 1 { x q[0]; } case 2 { x q[1]; } default { x q[2]; } }"
    assert flat(text) == ["x 0 if 1=0", "x 1 if 0,1=2", "x 2 if 0,1=3"]


def test_registers_too_wide_for_a_table_are_still_compared() -> None:
    text = "qubit q; bit[40] c; bit[40] d; if (c == 7 && d != 1) x q; if (!(c == 7)) y q;"
    (both, neither) = parsed(text).operations
    assert [(len(test.clbits), test.value, test.equal) for test in both.condition] == [(40, 7, True), (40, 1, False)]
    assert [(test.value, test.equal) for test in neither.condition] == [(7, False)]


def test_a_barrier_under_a_condition_is_dropped() -> None:
    assert flat("qubit[2] q; bit c; if (c) { x q[0]; barrier q; }") == ["x 0 if 0=1"]


def test_the_last_operation_under_a_condition_may_overwrite_what_it_tests() -> None:
    assert flat("qubit q; bit c; if (c) { x q; c = measure q; }") == ["x 0 if 0=1", "measure 0 -> 0 if 0=1"]


# ------------------------------------------------------------------ gates


def test_a_definition_takes_precedence_over_the_table_but_not_inside_itself() -> None:
    assert flat("gate x a { h a; x a; } qubit q; x q;") == ["h 0", "x 0"]


def test_definitions_are_inlined_with_their_parameters() -> None:
    text = "const float k = 2; gate g(a) p, r { rx(a * k) p; for int i in [1:2] { cp(a / i) p, r; } }"
    text += " qubit[2] q; g(0.5) q[1], q[0];"
    assert flat(text) == ["rx(1) 1", "cp(0.5) 1 0", "cp(0.25) 1 0"]


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("ctrl @ x q[0], q[1];", ["cx 0 1"]),
        ("ctrl(2) @ x q[0], q[1], q[2];", ["ccx 0 1 2"]),
        ("ctrl @ ctrl @ z q[2], q[1], q[0];", ["ccz 2 1 0"]),
        ("negctrl @ x q[0], q[1];", ["x 0", "cx 0 1", "x 0"]),
        ("ctrl @ negctrl @ x q[0], q[1], q[2];", ["x 1", "ccx 0 1 2", "x 1"]),
        ("inv @ s q[0];", ["sdg 0"]),
        ("inv @ U(1, 2, 3) q[0];", ["U(-1, -3, -2) 0"]),
        ("pow(3) @ x q[0];", ["x 0", "x 0", "x 0"]),
        ("pow(-2) @ rx(0.5) q[0];", ["rx(-1) 0"]),
        ("pow(0) @ x q[0];", []),
        ("inv @ pow(2) @ t q[0];", ["p(-1.5708) 0"]),
        ("ctrl @ gphase(0.5) q[1];", ["p(0.5) 1"]),
        ("gphase(0.5);", ["gphase(0.5) "]),
        ("ctrl @ x q[0], q[1:2];", ["cx 0 1", "cx 0 2"]),
        ("ctrl @ pair q[2], q[0], q[1];", ["ch 2 0", "ccx 2 0 1"]),
        ("inv @ pair q[0], q[1];", ["cx 0 1", "h 0"]),
    ],
)
def test_modifiers_come_down_to_these_gates(statement: str, expected: list[str]) -> None:
    assert flat(f"gate pair a, b {{ h a; cx a, b; }} qubit[3] q; {statement}") == expected


def test_a_phase_inside_a_definition_is_seen_under_a_control() -> None:
    text = "gate g a { gphase(0.7); rz(0.4) a; } qubit[2] q; ctrl @ g q[0], q[1];"
    rz = np.diag([np.exp(0.5j), np.exp(0.9j)])
    expected = np.diag([1, rz[0, 0], 1, rz[1, 1]])
    assert np.allclose(matrix(text), expected)


def test_half_a_power_written_with_integers_is_a_root() -> None:
    assert np.allclose(matrix("qubit q; pow(1/2) @ x q;"), matrix("qubit q; sx q;"))


# ------------------------------------------------------------------ subroutines


def test_a_subroutine_takes_qubits_by_reference_and_values_by_value() -> None:
    text = "def f(qubit[2] r, int n) { n += 1; for int i in [1:n] { x r[0]; } cx r[0], r[1]; }"
    text += " qubit[3] q; int n = 1; f(q[1:2], n); rx(n) q[0];"
    assert flat(text) == ["x 1", "x 1", "cx 1 2", "rx(1) 0"]


@pytest.mark.parametrize(
    "body",
    ["return measure a;", "bit r; r = measure a; return r;", "bit r = measure a; return r;", "return g(a);"],
)
def test_a_measured_result_goes_where_the_call_is_assigned(body: str) -> None:
    text = f"def g(qubit a) -> bit {{ return measure a; }} def f(qubit a) -> bit {{ h a; {body} }}"
    text += " qubit[2] q; bit[2] c; c[1] = f(q[0]); bit d = f(q[1]);"
    circuit = parsed(text)
    assert circuit.num_clbits == 3
    assert list(map(shown, circuit.operations)) == ["h 0", "measure 0 -> 1", "h 1", "measure 1 -> 2"]


def test_a_computed_result_is_a_value() -> None:
    text = "def fact(int n) -> int { if (n <= 1) { return 1; } return n * fact(n - 1); } qubit q; rx(fact(5)) q;"
    assert flat(text) == ["rx(120) 0"]


def test_a_bit_declared_in_a_subroutine_is_a_clbit_unless_it_is_returned() -> None:
    text = "def f(qubit a) { bit r; r = measure a; if (r) x a; } qubit q; bit c; f(q); f(q); c = measure q;"
    circuit = parsed(text)
    assert circuit.num_clbits == 3
    assert [shown(operation) for operation in circuit.operations if operation.name == "x"] == [
        "x 0 if 1=1",
        "x 0 if 2=1",
    ]


# ------------------------------------------------------------------ errors


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.stem)
def test_what_is_invalid_says_so_in_these_words(path: Path) -> None:
    text = path.read_text()
    kind, pattern = re.match(r"// error: (\w+): (.*)", text).groups()
    (error,) = [error for error in BY_CODE.values() if error.__name__ == kind]
    with pytest.raises(error, match=pattern):
        parse(text)


@pytest.mark.parametrize(
    ("statement", "feature"),
    [
        ("x q[int(c)];", "measured value"),
        ("for int i in [0:int(c)] { x q[0]; }", "measured value"),
        ("bit[7] d; rx(d) q[0];", "measured value"),
        ("bit[7] d; float f = 0.1 * d;", "measured value"),
        ("float f = 0; while (c[0]) { f += 1; c = measure q; }", "type float"),
        ("float f; if (c[0]) { f = 1; } else if (c[1]) { x q[0]; }", "type float"),
        ("int n = 5000000000; if (c[0]) { n += 1; }", "type int"),
        ("bit d; int n = c; d = n;", "assignment of bits"),
        ("const bit[2] d = c;", "const"),
        ("pow(c) @ x q[0];", "pow @"),
        ("ctrl(int(c)) @ x q[0], q[1];", "measured value"),
        ("angle t = measure q;", "measure into a variable"),
        (
            "def f(qubit a) -> bit { return measure a; } bit d = c[0] && f(q[0]);",
            "subroutine call",
        ),
        ("def f(bit a) -> float { if (a) { return 0.5; } return 0.2; } rx(f(c[0])) q[0];", "return"),
        ("gate g a { x a; reset a; } inv @ g q[0];", "inv @"),
        ("gate g a { reset a; } ctrl @ g q[0], q[1];", "ctrl @"),
        ("complex[float] z;", "type complex"),
        ("array[int, 3] a;", "type array"),
        ("cal { x; }", "cal"),
        ("extern f(int) -> int;", "extern"),
        ("#pragma braket result probability", "pragma braket result"),
        ("#pragma braket noise bit_flip(0.1) q[0]", "pragma braket noise"),
        ("#pragma braket unitary([[1, 0], [0, 1]]) q[0]", "pragma braket unitary"),
        ("input int n;", "input n"),
        ("input float t; x q[int(t)];", "parameter"),
        ("input float t; if (t > 1) x q[0];", "parameter"),
        ("input float t; pow(t) @ x q[0];", "pow @"),
        ("input float t; pow(0.5) @ rx(t) q[0];", "fractional power"),
        ("input float t; int n = t;", "parameter"),
        ("pow(0.5) @ dcx q[0], q[1];", "fractional power"),
        ("x $0;", "physical qubit"),
    ],
)
def test_what_cannot_be_flattened_is_refused_by_name_and_line(statement: str, feature: str) -> None:
    with pytest.raises(UnsupportedError, match=r"^line 3: ") as caught:
        parsed(f"qubit[2] q;\nbit[2] c;\n{statement}")
    assert (caught.value.feature, caught.value.line) == (feature, 3)


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("nogate q[0];", "gate name"),
        ("x r[0];", "name"),
        ("x c[0];", "qubit"),
        ("x q[2];", "index"),
        ("x q[-3];", "index"),
        ("x q[1:3];", "index"),
        ("x q[0][0];", "index"),
        ("x q[0, 1];", "index"),
        ("x q[0.5];", "expression"),
        ("cx q[0], q[0];", "distinct qubits"),
        ("ctrl @ x q[0], q[0];", "distinct qubits"),
        ("barrier q, q[0];", "distinct qubits"),
        ("let a = q ++ q;", "distinct qubits"),
        ("cx q, r3;", "register sizes"),
        ("c = measure r3;", "register sizes"),
        ("cx q[0];", "number of qubits"),
        ("ctrl @ x q[0];", "number of qubits"),
        ("gphase(1) q[0];", "number of qubits"),
        ("rx q[0];", "number of parameters"),
        ("gate g(a) p { } g q[0];", "number of parameters"),
        ("gate g(a, a) p { }", "redefinition"),
        ("gate g p { } gate g p { }", "redefinition"),
        ("int c = 1;", "duplicate name"),
        ("ctrl(0) @ x q[0];", "number of controls"),
        ("rx(1e308 * 10) q[0];", "finite angle"),
        ("rx(1 / 0) q[0];", "expression"),
        ("rx(log(-1)) q[0];", "expression"),
        ("rx((-1) ** 0.5) q[0];", "expression"),
        ("rx(2 ** 5000) q[0];", "expression"),
        ("rx(1 << 5000) q[0];", "expression"),
        ("rx(1.5 | 1) q[0];", "expression"),
        ("rx(5 / 2) q[0];", "integer division"),
        ("rx(nofunction(1)) q[0];", "function name"),
        ("rx(sin(1, 2)) q[0];", "number of arguments"),
        ("rx(q) q[0];", "type"),
        ("int n; rx(n) q[0];", "unassigned variable"),
        ("const int k = 1; k = 2;", "assignment"),
        ("pi = 3;", "assignment"),
        ("for int i in [0:0:3] { }", "step"),
        ("for int i in [:] { }", "range"),
        ("switch (1) { case 1 { } case 1 { } }", "duplicate case"),
        ("for uint[2] i in [0:5] { }", "type"),
        ("def f(qubit a) -> bit { bit r; if (r) x a; return r; } c[0] = measure q[0]; c[0] = f(q[1]);", UNASSIGNED),
        ('include "other.inc";', "include"),
        ("def f(int n) -> int { return f(n); } int k = f(1);", "recursion"),
        ("def f(int n) { } f(1, 2);", "number of arguments"),
        ("def f(qubit[3] n) { } f(q);", "number of qubits"),
        ("int n = 1; def f(qubit a) { rx(n) a; } f(q[1]);", "name"),
        ("def f(int a) { } int k = f(1);", "type"),
        ("int[0 - 1] k;", "width"),
        ("qubit[1 - 1] k;", "register size"),
    ],
)
def test_what_breaks_a_rule_names_it_and_the_line(statement: str, rule: str) -> None:
    with pytest.raises(CircuitInvalidError, match=r"^line 4: ") as caught:
        parsed(f"qubit[2] q;\nbit[2] c;\nqubit[3] r3;\n{statement}")
    assert (caught.value.rule, caught.value.line) == (rule, 4)


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("qubit q;\nx q\ny q;", 3, 1),
        ("qubit q;\nx q[;", 2, 5),
        ("qubit q;\n  x \u20ac;", 2, 5),
        ("gate g a { measure a; }", 1, 12),
        ("for int i in [0:1] {", 1, 21),
    ],
)
def test_a_syntax_error_has_its_place(text: str, line: int | None, column: int | None) -> None:
    with pytest.raises(CircuitSyntaxError) as caught:
        parsed(text)
    assert (caught.value.line, caught.value.column) == (line, column)


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("qubit[11] q;", "qubits"),
        ("x $10;", "qubits"),
        ("x $99999999999999999999;", "qubits"),
        ("bit[1000000000000] c;", "clbits"),
        ("for int i in [0:1] { bit[6] c; }", "clbits"),
        ("qubit q; for int i in [0:1000000000000] { x q; }", "operations"),
        ("qubit q; pow(101) @ h q;", "operations"),
        ("qubit q; pow(1e300) @ h q;", "operations"),
        ("qubit[10] q; ctrl(9) @ x q[0], q[1], q[2], q[3], q[4], q[5], q[6], q[7], q[8], q[9];", "operations"),
        ("bit c = " + "(" * 5000 + "1" + ")" * 5000 + ";", "nesting"),
        ("{" * 5000, "nesting"),
        ("qubit q; " + "if (1) " * 5000 + "x q;", "nesting"),
        ("int a = " + "-" * 5000 + "1;", "nesting"),
        ("int a = " + "2 ** " * 5000 + "1;", "nesting"),
        ("int a = 1" + " + 1" * 5000 + ";", "operators"),
        ("qubit q; " + "inv @ " * 5000 + "x q;", "operators"),
        ("qubit[2] q; x q" + "[0:1]" * 5000 + ";", "operators"),
        ("bit c = " + "9" * 5000 + ";", "digits"),
        ("while (true) { }", "steps"),
        ("for int i in [0:10 ** 100] { }", "steps"),
        ("gate a p { } gate b p { a p; a p; } gate c p { pow(2) @ b p; } qubit q; while (1) { c q; }", "steps"),
        ("qubit q; bit[9] c; for int i in [0:100] { if (popcount(c) == 3) x q; }", "clbits"),
        ("bit c; while (c) { while (true) { } }", "steps"),
    ],
)
def test_limits_are_noticed_while_unrolling(text: str, limit: str) -> None:
    with pytest.raises(LimitError, match="nested" if limit == "nesting" else limit) as caught:
        parsed(text, Limits(qubits=10, clbits=10, operations=100))
    assert caught.value.limit == limit


@pytest.mark.parametrize(
    "statement",
    [
        "inv @ " * 190 + "x q[0];",
        "pow(1) @ " * 190 + "x q[0];",
        "pow(0.5) @ " * 190 + "h q[0];",
        "int a = " + "1 + " * 190 + "1;",
        "if (" + "1 + " * 190 + "1 == 3) x q[0];",
        "rx(" + "sin(0.1) + " * 190 + "1) q[0];",
        "if (c[0]) { " * 20 + "x q[0];" + "}" * 20,
    ],
    ids=["inv", "pow", "root", "sum", "condition", "angle", "nested ifs"],
)
def test_a_costly_statement_in_an_endless_loop_counts_as_many_steps(statement: str) -> None:
    with pytest.raises(LimitError, match=r"more than .* steps") as caught:
        parsed(f"qubit[2] q; bit[2] c; while (true) {{ {statement} }}", Limits(operations=50_000))
    assert caught.value.limit == "steps"


@pytest.mark.parametrize(
    "body", ["h q;", "int k = 1; k += 1;", "if (c) { h q; }", "c = measure q[0:1]; if (c == 1) x q[0];"]
)
def test_a_loop_in_which_nothing_changes_is_refused_in_its_first_turn(body: str) -> None:
    with pytest.raises(LimitError, match="nothing that it tests changes") as caught:
        parsed(f"qubit[2] q; bit[2] c; while (true) {{ {body} }}")
    assert caught.value.limit == "steps"


def test_the_same_text_is_the_same_circuit() -> None:
    names = [f"v{k}" for k in range(12)]
    declared = " ".join(f"uint[2] {name} = {k % 4};" for k, name in enumerate(names))
    changed = " ".join(f"{name} += 1;" for name in reversed(names))
    text = f"qubit q; bit c; {declared} c = measure q; while (c) {{ {changed} c = measure q; }}"
    circuits = [parsed(text) for _ in range(5)]
    assert all(circuit == circuits[0] for circuit in circuits)
    assert [op.params[0] for op in circuits[0].operations if op.name == "set"][:12] == [k % 4 for k in range(12)]


def test_the_parser_writes_nothing_about_a_text_to_standard_error(capfd) -> None:
    for text in ("int secret = ;", "qubit q; `secret`", "qubit q; secret secret secret;"):
        with pytest.raises(CircuitSyntaxError):
            parsed(text)
    assert capfd.readouterr().err == ""


def test_definitions_that_double_are_bounded() -> None:
    doubling = "".join(f"gate g{k} a {{ g{k - 1} a; g{k - 1} a; }} " for k in range(1, 60))
    with pytest.raises(LimitError, match="operations"):
        parsed(f"gate g0 a {{ x a; }} {doubling} qubit q; g59 q;", Limits(operations=10_000))


TOKEN = re.compile(r"\w+|\S|\s+")
TEXTS = [path.read_text() for path in sorted(CIRCUITS.glob("*/*.qasm"))]


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(TEXTS), st.randoms(use_true_random=False))
def test_a_damaged_program_is_read_or_refused_but_never_breaks_the_parser(text: str, random: Random) -> None:
    tokens = TOKEN.findall(text)
    for _ in range(2):
        place = random.randrange(len(tokens))
        tokens[place : place + random.randint(0, 2)] = [random.choice(tokens) for _ in range(random.randint(0, 1))]
    with suppress(GatewayError):
        parsed("".join(tokens), Limits(20, 20, 1000)).validate()


def test_the_empty_program_is_an_empty_circuit() -> None:
    assert parsed("OPENQASM 3.0;") == Circuit()


# ------------------------------------------------------------------ the corpus


@pytest.mark.parametrize(
    "path", sorted(CIRCUITS.glob("openqasm[23]/*.qasm")), ids=lambda path: f"{path.parent.name}-{path.stem}"
)
def test_every_circuit_of_the_corpus_is_small_and_measures(path: Path) -> None:
    text = path.read_text()
    assert text.startswith("// ")
    circuit = parse(text)
    circuit.validate(Limits(qubits=10, clbits=20, operations=300))
    assert any(operation.name == "measure" for operation in circuit.operations)
    assert sum(distribution(circuit).values()) == pytest.approx(1)
