"""Programs that depend on measurements mean what an interpreter finds that carries them out as they stand."""

from __future__ import annotations

from random import Random

import pytest
from support import program_interpreter
from support.dynamic_programs import Programs
from support.reference import distribution

from gateway.circuit import parse
from gateway.circuit.circuit import DEFAULT_LIMITS, Circuit
from gateway.circuit.openqasm.reader import read_program
from gateway.errors import UnsupportedError

_SEEDS = 60


@pytest.mark.parametrize("seed", range(_SEEDS))
def test_generated_programs_mean_what_the_interpreter_finds(seed: int) -> None:
    text = Programs(Random(seed)).text()
    try:
        circuit = parse(text)
    except UnsupportedError as exc:
        assert exc.feature == "type float", "nothing else of what is generated is refused"  # noqa: PT017 - sometimes
        return
    circuit.validate()
    assert distribution(circuit) == pytest.approx(program_interpreter.distribution(text), abs=1e-8)


@pytest.mark.parametrize("seed", range(0, _SEEDS, 6))
def test_the_fast_way_changes_nothing_of_what_depends_on_measurements(seed: int) -> None:
    text = Programs(Random(seed), size=14).text()
    try:
        slow = read_program(text, DEFAULT_LIMITS, is_fast=False)
    except UnsupportedError as exc:
        with pytest.raises(UnsupportedError, match=exc.feature):
            parse(text)
        return
    assert distribution(parse(text)) == pytest.approx(distribution(Circuit(*slow)))
