"""Which gates of a circuit the diagnosis names."""

from __future__ import annotations

import msgspec
import pytest
from support import records

from gateway.compare.presentation import drawings
from gateway.compare.record import Cause

replace = msgspec.structs.replace


@pytest.mark.parametrize(
    ("name", "gates"),
    [
        ("angle-negated:rz", {"rz"}),
        ("gate-replaced:cp>rz", {"cp", "rz"}),
        ("inverse-taken:s/sdg", set()),
        ("bits-reversed", set()),
        ("clbits-exchanged:0,2", set()),
    ],
)
def test_the_gates_are_those_that_the_causes_name(name: str, gates: set[str]) -> None:
    case = records.one_differs().cases[0]
    cause = (Cause(name=name, detail="", p_value=0.5),)
    rows = tuple(replace(row, causes=cause if row.causes else ()) for row in case.rows)
    assert drawings.suspects(replace(case, rows=rows)) == gates


def test_who_agrees_names_no_gate() -> None:
    case = records.all_agree().cases[0]
    cause = (Cause(name="angle-negated:rz", detail="", p_value=0.5),)
    rows = tuple(replace(row, causes=cause) for row in case.rows)
    assert not drawings.suspects(replace(case, rows=rows))


def test_a_text_that_is_no_circuit_has_no_picture() -> None:
    case = replace(records.one_differs().cases[0], openqasm="no circuit")
    assert drawings.circuit(case) is None
    assert not drawings.suspects(case)
    assert drawings.of_text("no circuit", frozenset()) == ""


def test_a_large_circuit_says_what_of_it_is_not_drawn() -> None:
    text = "OPENQASM 3; qubit[3] q;" + "U(1, 0, 0) q[0];" * 5_000
    drawn = drawings.of_text(text, frozenset())
    assert len(drawn) < 200_000
    assert "are drawn." in drawn
