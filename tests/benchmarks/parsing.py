"""OpenQASM text -> circuit, against the parser of Qiskit that is written in Rust."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from random import Random

from measuring import Row, compared, take_turns
from workloads import NUM_GATES, fraction_of_pi, texts, unique_angle

from gateway.circuit import parse

NAME = "parse"
OF_QISKIT = 1 / 3
OF_VERSION_2 = 1.5
OF_FLAT = 2.0
BEYOND_FLAT = """for int i in [0:0] { barrier q; }
def nothing(qubit a) { barrier a; }
nothing(q[0]);
const float unused = 0.5;
gate controlled a, b { ctrl @ x a, b; }
"""
LOOPS = """OPENQASM 3.0;
qubit[10] q;
def layer(qubit[10] r, float t) { for int i in [0:8] { rz(t / 2) r[i]; cx r[i], r[i + 1]; } }
for int k in [1:1111] { layer(q, 0.1 * k); h q[k % 10]; }
"""


def measure(_: str, *, quick: bool) -> list[Row]:
    """Compare version 2 with Qiskit, and version 3 with version 2."""
    rounds = 7 if quick else 25
    return [
        row
        for kind, angle in (("angles all different", unique_angle), ("angles like pi/4", fraction_of_pi))
        for row in _rows(kind, angle, rounds)
    ]


def _rows(kind: str, angle: Callable[[Random], str], rounds: int) -> list[Row]:
    text2, text3 = texts(angle)
    assert parse(text2) == parse(text3)
    qiskit = partial(import_module("bare.qiskit").parse, text2)
    second, third = partial(parse, text2), partial(parse, text3)
    ours_s, qiskit_s = take_turns(second, qiskit, rounds=rounds)
    third_s, second_s = take_turns(third, second, rounds=rounds)
    declared = text3.index("\n", text3.rindex("qubit["))
    mixed_s, flat_s = take_turns(
        partial(parse, f"{text3[:declared]}\n{BEYOND_FLAT}{text3[declared:]}"), third, rounds=rounds
    )
    loops_s, _ = take_turns(partial(parse, LOOPS), third, rounds=rounds)
    unrolled = len(parse(LOOPS).operations)
    return [
        compared(NAME, f"OpenQASM 2, {kind} : qasm2.loads", ours_s, qiskit_s, OF_QISKIT),
        compared(NAME, f"OpenQASM 3, {kind} : OpenQASM 2", third_s, second_s, OF_VERSION_2),
        compared(NAME, f"OpenQASM 3, {kind}, with a loop, a def and a ctrl @ : without", mixed_s, flat_s, OF_FLAT),
        Row(benchmark=NAME, case=f"OpenQASM 2, {kind}, one gate", ours_s=ours_s / NUM_GATES),
        Row(benchmark=NAME, case=f"one gate in a loop or a subroutine, beside {kind}", ours_s=loops_s / unrolled),
    ]
