from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.circuit.openqasm.expressions import (
    AmbiguousInteger,
    Expressions,
    compile_expression,
    evaluate,
    split_arguments,
)
from gateway.errors import CircuitInvalidError, CircuitSyntaxError, LimitError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        (" .5 ", 0.5),
        ("2.", 2),
        ("1.5e-3", 0.0015),
        ("1_000", 1000),
        ("pi", math.pi),
        ("π/2", math.pi / 2),
        ("tau", math.tau),
        ("τ", math.tau),
        ("ℇ", math.e),
        ("euler", math.e),
        ("1+2*3", 7),
        ("(1+2)*3", 9),
        ("2-3-4", -5),
        ("8/4/2", 1),
        ("-2^2", -4),
        ("2^3^2", 512),
        ("2**3**2", 512),
        ("2^-1", 0.5),
        ("--3", 3),
        ("+3", 3),
        ("2*-3", -6),
        ("-(1)", -1),
        ("((((1))))", 1),
        ("3*pi/8", 3 * math.pi / 8),
        ("-pi/2", -math.pi / 2),
        ("sin(pi/2)", 1),
        ("cos(0)+tan(0)", 1),
        ("exp(1)", math.e),
        ("ln(exp(2))", 2),
        ("log(exp(2))", 2),
        ("sqrt((4))", 2),
        ("arcsin(1)", math.pi / 2),
        ("acos(1)+atan(0)+asin(0)+arccos(1)+arctan(0)", 0),
        ("pow(2,(1+2))", 8),
        ("mod(7,4)", 3),
        ("floor(1.5)+ceiling(1.5)", 3),
        ("sin((1+1)*2)", math.sin(4)),
    ],
)
def test_an_expression_has_its_mathematical_value(text, value):
    assert evaluate(text) == pytest.approx(value, abs=1e-15)
    assert Expressions().value(text) == evaluate(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "an expression is missing"),
        ("1+", "ends where a value is missing"),
        ("(1", "a parenthesis is not closed"),
        ("1)", r"'\)' closes nothing"),
        ("1,2", "comma"),
        ("(1,2)", "comma"),
        ("sin", "ends where a value is missing"),
        ("sin 2", "'2' stands where"),
        ("sin+2", r"'\+' stands where"),
        ("sin sin(2)", "'sin' stands where"),
        ("sin(1,2)", r"sin takes 1 argument\(s\), not 2"),
        ("sin()", "stands where a value is expected"),
        ("pow(1,)", "stands where a value is expected"),
        ("1 2", "'2' stands where an operator is expected"),
        ("2pi", "'2pi' does not belong"),
        ("1..2", "does not belong"),
        ("1_", "does not belong"),
        ("1__0", "does not belong"),
        ("1 $ 2", "does not belong"),
        ("1 % 2", "does not belong"),
    ],
)
def test_what_is_no_expression_is_a_syntax_error(text, message):
    with pytest.raises(CircuitSyntaxError, match=message):
        evaluate(text)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("1/0", "expression"),
        ("9^9^9^9", "expression"),
        ("1e999", "expression"),
        ("1e308*10", "expression"),
        ("1.5e308*10.0", "expression"),
        ("ln(0)", "expression"),
        ("sqrt(-1)", "expression"),
        ("(-8)^(1/3)", "expression"),
        ("0^-1", "expression"),
        ("exp(1000)", "expression"),
        ("mod(1,0)", "expression"),
        ("nan", "name"),
        ("inf", "name"),
        ("infinity", "name"),
        ("theta", "name"),
    ],
)
def test_a_value_that_is_no_finite_number_is_invalid(text, rule):
    for attempt in (evaluate, Expressions().value):
        with pytest.raises(CircuitInvalidError, match="an expression") as caught:
            attempt(text)
        assert caught.value.rule == rule


@pytest.mark.parametrize("text", ["(" * 100_000, "-" * 100_000, "(" * 50_000 + "1" + ")" * 50_000, "1+" * 50_000])
def test_absurd_expressions_are_refused_at_once(text):
    with pytest.raises(LimitError, match="more than 2000 terms"):
        evaluate(text)


@pytest.mark.parametrize("text", ["(" * 500 + "1" + ")" * 500, "-" * 500 + "1", "sin(" * 300 + "1" + ")" * 300])
def test_nesting_is_limited(text):
    with pytest.raises(CircuitSyntaxError, match="nested more than 200 levels"):
        evaluate(text)


def test_long_flat_expressions_are_fine():
    assert evaluate("+".join(["1"] * 900)) == 900
    assert compile_expression("+".join(["a"] * 900), {"a": 0}).evaluate([2.0]) == 1800


def test_formal_parameters_are_evaluated_for_each_call():
    expression = compile_expression("2*a/(b+pi/2)-sin(a)", {"a": 0, "b": 1})
    for a, b in [(0.3, 1.0), (-2.0, 5.5)]:
        assert expression.evaluate((a, b)) == 2 * a / (b + math.pi / 2) - math.sin(a)
    with pytest.raises(CircuitInvalidError, match="divides by zero"):
        compile_expression("1/a", {"a": 0}).evaluate((0.0,))


def test_a_formal_parameter_hides_a_constant():
    assert compile_expression("pi", {"pi": 0}).evaluate((2.0,)) == 2.0


def test_constant_parts_are_folded():
    assert len(compile_expression("a*(pi/2+sin(1))", {"a": 0}).program) == 3


@pytest.mark.parametrize("text", ["1/2", "1_0/3", "pi*(1/2)", "2^3", "pi^2", "mod(3,2)/2"])
def test_what_openqasm_3_reads_as_integers_is_reported(text):
    assert evaluate(text) is not None
    with pytest.raises(AmbiguousInteger):
        evaluate(text, strict=True)


@pytest.mark.parametrize("text", ["pi/2", "3*pi/8", "1.0/2", "2**3", "a/2"])
def test_what_means_the_same_in_both_languages_is_not_reported(text):
    compile_expression(text, {"a": 0}, strict=True)


def test_arguments_are_split_outside_parentheses_only():
    assert split_arguments("1, pow(2,3) ,(4)") == ["1", " pow(2,3) ", "(4)"]
    assert split_arguments("1,2") == ["1", "2"]


@given(
    st.lists(st.tuples(st.sampled_from("+-*/"), st.floats(0.001, 1000).map(repr)), max_size=12),
    st.floats(0.001, 1000).map(repr),
)
def test_arithmetic_is_that_of_python(terms, first):
    text = first + "".join(operator + term for operator, term in terms)
    expected = eval(text)  # noqa: S307 - digits and + - * / made above
    expressions = Expressions()
    assert evaluate(text) == expected
    assert expressions.value(text) == expected
    assert expressions.value(text) == expected
