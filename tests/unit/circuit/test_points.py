from __future__ import annotations

import math

import pytest

from gateway.circuit import Circuit, Expression, parameter, points
from gateway.circuit.expressions import ARITHMETIC
from gateway.circuit.points import Points, Template
from gateway.errors import CircuitInvalidError, RequestError

A, B = parameter("a"), parameter("b")
VALUES = Points({"a": [0.1, 0.7, 0.35], "b": [0.9, 0.2, 0.6]}, 3)


def varied() -> Circuit:
    """Return a circuit in which some angles depend on parameters, and others do not."""
    circuit = Circuit(2, 2).rx(A, 0).rx(0.5, 1).u(A * B, 0.25, B - A / 3, 0).barrier().set((0,), 1)
    for name, (numbers, _) in ARITHMETIC.items():
        for number in numbers:
            circuit.rz(Expression(name, (A, B)[:number]), 1, when={0: 1})
    return circuit.measure(0, 0)


def test_a_template_is_what_the_bound_circuit_is_to_the_last_bit():
    template = Template(varied(), VALUES)
    bound = [varied().bind(VALUES.at(point)) for point in range(3)]
    assert [template.at(point) for point in (0, 1, 2)] == bound
    assert [template.at(point) for point in (2, 0)] == [bound[2], bound[0]]
    assert bound[0] != bound[1]


def test_the_angles_of_a_template_are_computed_a_few_points_at_a_time(monkeypatch):
    monkeypatch.setattr(points, "_AT_ONCE", 50)
    template = Template(varied(), VALUES)
    assert template.at_once == 2
    assert [template.at(point) for point in range(3)] == [varied().bind(VALUES.at(point)) for point in range(3)]


def test_a_template_says_which_operations_change():
    assert Template(Circuit(1, 1).h(0).rx(A, 0).set((0,), 1).rz(1.0, 0).ry(B, 0), VALUES).changing == (1, 4)


def test_a_circuit_without_parameters_is_its_own_template():
    circuit = Circuit(1).h(0)
    assert Template(circuit, VALUES).at(1) is circuit


def test_a_part_of_the_points_has_their_values():
    part = VALUES.part(1, 5)
    assert (part.size, part.columns) == (2, {"a": [0.7, 0.35], "b": [0.2, 0.6]})


def test_parameters_that_the_circuit_does_not_have_are_refused_with_those_it_has():
    with pytest.raises(RequestError, match=r"no parameter 'c': its parameters are a, b$") as caught:
        Points({"a": [1.0], "b": [1.0], "c": [1.0]}, 1).check(varied())
    assert caught.value.field == "parameters"
    with pytest.raises(RequestError, match=r"no parameter 'a': it has no parameters$"):
        VALUES.check(Circuit(1).h(0))


def test_a_parameter_without_a_value_is_refused_with_those_there_are():
    with pytest.raises(RequestError, match=r"the parameter 'b' has no value: its parameters are a, b$") as caught:
        Points({"a": [1.0]}, 1).check(varied())
    assert caught.value.field == "parameters"


@pytest.mark.parametrize(
    ("angle", "values", "match"),
    [
        (1 / A, [1.0, 2.0, 0.0], "has no value: .*division by zero"),
        (Expression("sqrt", (A,)), [1.0, 2.0, -1.0], "has no value"),
        (A**0.5, [1.0, 2.0, -1.0], "is not a finite number"),
        (Expression("exp", (A,)) * Expression("exp", (A,)), [0.0, 0.0, 700.0], "is not a finite number: inf"),
    ],
)
def test_an_angle_without_a_value_at_some_point_is_refused_before_the_first_run(angle, values, match):
    with pytest.raises(CircuitInvalidError, match=match) as caught:
        Points({"a": values}, 3).check(Circuit(1).h(0).rx(angle, 0))
    assert caught.value.circuit == 2


def test_the_point_of_an_angle_without_a_value_counts_from_the_first_one(monkeypatch):
    monkeypatch.setattr(points, "_AT_ONCE", 2)
    with pytest.raises(CircuitInvalidError, match="has no value") as caught:
        Points({"a": [1.0, 1.0, 1.0, 0.0]}, 4).check(Circuit(1).rx(1 / A, 0))
    assert caught.value.circuit == 3


def test_equal_angles_are_computed_once(monkeypatch):
    computed: list[float] = []
    monkeypatch.setitem(ARITHMETIC, "sin", ((1,), lambda x: computed.append(x) or math.sin(x)))
    circuit = Circuit(2).rx(Expression("sin", (A,)), 0).ry(Expression("sin", (A,)), 1)
    assert Template(circuit, VALUES).at(1) == circuit.bind(a=0.7)
    assert computed == [0.1, 0.7, 0.35, 0.7, 0.7]
