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
    return [
        compared(NAME, f"OpenQASM 2, {kind} : qasm2.loads", ours_s, qiskit_s, OF_QISKIT),
        compared(NAME, f"OpenQASM 3, {kind} : OpenQASM 2", third_s, second_s, OF_VERSION_2),
        Row(benchmark=NAME, case=f"OpenQASM 2, {kind}, one gate", ours_s=ours_s / NUM_GATES),
    ]
