"""Expressions: what they mean, what is refused, and circuits that have them."""

from __future__ import annotations

import math

import msgspec
import pytest

from gateway.circuit import Circuit, Expression, Operation, bits, parameter
from gateway.circuit.emitter import Emitter
from gateway.circuit.expressions import MAX_DEPTH, MAX_NODES, check_classical, value_of_angle, value_of_clbits
from gateway.circuit.operations import DEFAULT_LIMITS
from gateway.errors import CircuitInvalidError

THETA = parameter("theta")


@pytest.mark.parametrize(
    ("angle", "value"),
    [
        (THETA, 0.5),
        (2 * THETA + 1, 2.0),
        (1 - THETA / 2, 0.75),
        (-THETA, -0.5),
        (2 / THETA, 4.0),
        (THETA**2, 0.25),
        (2**THETA, math.sqrt(2)),
        (Expression("cos", (THETA * math.pi,)), 0.0),
    ],
)
def test_an_angle_has_the_value_of_its_formula(angle: Expression, value: float) -> None:
    assert value_of_angle(angle, {"theta": 0.5}) == pytest.approx(value, abs=1e-15)


@pytest.mark.parametrize(
    "angle",
    [
        1 / THETA,
        THETA**0.5 / THETA,
        Expression("sqrt", (THETA - 1,)),
        10 ** (1000 / THETA),
        Expression("sin", ((THETA - 1) ** 0.5,)),
    ],
)
def test_an_angle_without_a_finite_value_is_refused(angle: Expression) -> None:
    with pytest.raises(CircuitInvalidError, match=r"the angle .* (has no value|is not a finite number)"):
        value_of_angle(angle, {"theta": 0.0})


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        (bits(0, 1, 2), 0b101),
        (bits(2, 1), 0b01),
        (Expression("^", (bits(0), bits(1))), 1),
        (Expression("-", (bits(1), bits(0, 1, 2))), -5),
        (Expression("wrap", (Expression("-", (bits(0),)), 4)), 15),
        (Expression("signed", (bits(0, 1, 2), 3)), -3),
        (Expression("/", (Expression("-", (7,)), 2)), -3),
        (Expression("%", (Expression("-", (7,)), 2)), -1),
        (Expression(">>", (bits(0, 1, 2), 1)), 0b10),
        (Expression("if", (bits(1), 7, 9)), 9),
        (Expression("and", (4, bits(2))), 1),
        (Expression("popcount", (bits(0, 1, 2),)), 2),
        (3.0, 3),
    ],
)
def test_a_classical_value_is_computed_from_clbits(expression: Expression, value: int) -> None:
    assert value_of_clbits(expression, lambda clbit: 0b101 >> clbit & 1) == value


def test_a_division_by_zero_is_said() -> None:
    with pytest.raises(CircuitInvalidError, match="divides by zero"):
        value_of_clbits(Expression("%", (1, bits(0))), lambda _: 0)


def deep(levels: int) -> Expression:
    expression = bits(0)
    for _ in range(levels):
        expression = Expression("~", (expression,))
    return expression


@pytest.mark.parametrize(
    ("expression", "match"),
    [
        (1.5, "whole number"),
        (Expression("+", (1,)), "takes 2 arguments"),
        (Expression("sin", (1,)), "no operator 'sin'"),
        (Expression("+", (1, 0.5)), "'0.5' is no number"),
        (Expression("+", (1, 2**63)), "is no number"),
        (Expression("+", (1, "c")), "'c' is no number"),
        (Expression("bits"), "bits are read"),
        (Expression("signed", (1, 0)), "takes a width"),
        (deep(MAX_DEPTH + 1), "nested at most"),
        (Expression("+", (parameter("t"), 1)), "no operator 'parameter'"),
    ],
)
def test_a_malformed_classical_value_is_refused(expression: Expression, match: str) -> None:
    with pytest.raises(CircuitInvalidError, match=match):
        check_classical(expression)


def test_a_wide_expression_is_refused_however_flat_it_is() -> None:
    expression = bits(0)
    layer = [expression] * (MAX_NODES + 1)
    while len(layer) > 1:
        layer = [
            Expression("+", tuple(layer[k : k + 2])) if k + 1 < len(layer) else layer[k]
            for k in range(0, len(layer), 2)
        ]
    with pytest.raises(CircuitInvalidError, match="at most 2,000 operators"):
        check_classical(layer[0])


def test_binding_gives_parameters_values_and_leaves_the_others() -> None:
    circuit = Circuit(1).rx(2 * THETA, 0).ry(parameter("phi") + THETA, 0)
    assert circuit.parameters == ("theta", "phi")
    half = circuit.bind(theta=0.5)
    assert half.parameters == ("phi",)
    assert half.bind({"phi": 1}) == Circuit(1).rx(1.0, 0).ry(1.5, 0)


@pytest.mark.parametrize("angle", [Expression("**", (10, 10**12)), Expression("*", (Expression("**", (9, 200)),) * 2)])
def test_a_power_of_whole_numbers_takes_no_memory_for_its_digits(angle: Expression) -> None:
    with pytest.raises(CircuitInvalidError, match=r"has no value|is not a finite number"):
        value_of_angle(THETA * angle, {"theta": 0.5})


def test_a_product_of_whole_numbers_that_no_float_holds_is_refused() -> None:
    angle: Expression | int = 2**62
    for _ in range(5):
        angle = Expression("*", (angle, angle))
    with pytest.raises(CircuitInvalidError, match="has no value"):
        value_of_angle(angle, {})


def test_many_parameters_are_bound_without_comparing_each_with_all_others() -> None:
    compared = []

    class Name(str):
        __slots__ = ()
        __hash__ = str.__hash__

        def __eq__(self, other: object) -> bool:
            compared.append(other)
            return str.__eq__(self, other)

    circuit = Circuit(1)
    for place in range(200):
        circuit.rx(parameter(f"t{place}"), 0)
    circuit.bind({Name(f"t{place}"): 0.5 for place in range(200)})
    assert len(compared) < 200 * 20


def test_an_expression_without_parameters_is_a_number_after_binding() -> None:
    circuit = Circuit(1).rx(Expression("+", (1, 2)), 0)
    assert circuit.validate()
    assert circuit.bind() == Circuit(1).rx(3, 0)
    assert not circuit.bind().validate()


def test_a_parameter_that_is_not_there_is_refused_by_name() -> None:
    with pytest.raises(CircuitInvalidError, match="no parameter 'x': its parameters are theta"):
        Circuit(1).rx(THETA, 0).bind(x=1)
    with pytest.raises(CircuitInvalidError, match="it has none"):
        Circuit(1).bind(x=1)


@pytest.mark.parametrize("value", [math.nan, math.inf, "1", None, True])
def test_a_value_that_is_no_finite_number_is_refused(value: object) -> None:
    with pytest.raises(CircuitInvalidError, match=r"number|finite"):
        Circuit(1).rx(THETA, 0).bind(theta=value)  # type: ignore[arg-type]  # which is the test


@pytest.mark.parametrize(
    ("circuit", "match"),
    [
        (Circuit(1, 1).while_({0: 1}), "the loop has no end"),
        (Circuit(1, 1).end(), "ends no loop"),
        (Circuit(1, 0, [Operation("rx", (0,), (Expression("sin", (THETA, 1)),))]), "takes 1 arguments"),
    ],
)
def test_a_malformed_circuit_is_refused(circuit: Circuit, match: str) -> None:
    with pytest.raises(CircuitInvalidError, match=match):
        circuit.validate()


def test_a_set_names_clbits_that_are_there() -> None:
    with pytest.raises(CircuitInvalidError, match="names clbit 3"):
        Circuit(1, 2).set([0], bits(3))
    with pytest.raises(CircuitInvalidError, match="names clbit 2"):
        Circuit(1, 2).set([2], 1)


def test_notes_do_not_tell_circuits_apart() -> None:
    assert Circuit(1, notes=("a delay was left out",)) == Circuit(1)
    assert Circuit(1, 1, num_hidden=1) != Circuit(1, 1)


@pytest.mark.parametrize("number", [0.5, 1e300, 2**53 + 1])
def test_the_number_of_every_set_is_checked_and_not_only_that_of_the_first(number: float) -> None:
    circuit = Circuit(1, 64).set(range(64), 1)
    circuit.operations.append(Operation("set", (), (number,), tuple(range(64))))
    with pytest.raises(CircuitInvalidError, match="operation 1: a set writes") as caught:
        circuit.validate()
    assert caught.value.operation == 1


@pytest.mark.parametrize("number", [2**53 + 1, -(2**53) - 1, 2**100 + 2**40 + 1])
def test_a_large_number_is_written_in_parts_that_a_message_carries_exactly(number: int) -> None:
    emitter = Emitter(DEFAULT_LIMITS)
    emitter.assign(emitter.new_clbits(128), number)
    sent = msgspec.json.decode(msgspec.json.encode(Circuit(*emitter.parts())), type=Circuit)
    sent.validate()
    bits = [int(op.params[0]) >> place & 1 for op in sent.operations for place, _ in enumerate(op.clbits)]
    assert sum(bit << place for place, bit in enumerate(bits)) == number % 2**128
