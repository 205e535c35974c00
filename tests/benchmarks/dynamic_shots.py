"""Circuits with mid-circuit measurement, reset and conditions: many shots against 10, and against Aer's own way.

What grows is the number of histories, far beyond any count, while few states are different: rounds of measurements, of
syndromes of a code, an estimated phase, and random bits from one qubit.
"""

from __future__ import annotations

from functools import partial
from statistics import median
from time import perf_counter
from typing import NamedTuple

from measuring import Row, compared, take_turns
from workloads import dynamic, phase_estimation, random_bits, rounds, syndromes, teleportation

from gateway.backends.base import Backend
from gateway.backends.local import LocalSimulator
from gateway.circuit import Circuit
from gateway.results import Sampling

NAME = "dynamic"
TARGET = 20.0
MANY = 100_000
FEW = 10
SECONDS = {"mqt": 5.0}
"""What a million shots of 200 rounds may take, where it is not a second."""

SHOTS_OF_AER = 100
"""Aer takes a minute for a thousand shots of rounds."""

AER = "qiskit"
"""The simulator whose own sampler is a framework's own way."""


class Case(NamedTuple):
    """A circuit with the shots it is run with; ``seconds`` that this may take, where that is promised."""

    name: str
    circuit: Circuit
    shots: int = MANY
    seconds: float | None = None


def measure(simulator: str, *, quick: bool) -> list[Row]:
    """Compare many shots with few of the same circuit, as a client of the simulator's server sees them."""
    rows = []
    with LocalSimulator(simulator, workers=1) as local:
        for case in _cases(simulator):
            rows += _measured(local, simulator, case, rounds=5 if quick else 25)
    return rows


def _cases(simulator: str) -> list[Case]:
    return [
        Case("teleportation", teleportation()),
        Case("12 qubits, 200 gates", dynamic()),
        Case("200 rounds", rounds(), 1_000_000, SECONDS.get(simulator, 1.0)),
        Case("100 rounds of syndromes", syndromes(), seconds=2.0),
        Case("phase of 20 bits", phase_estimation(), 1_000),
        Case("20 random bits", random_bits(), 1_000),
    ]


def _measured(local: Backend, simulator: str, case: Case, rounds: int) -> list[Row]:
    """Return the rows of one circuit."""
    many, few = (partial(local.run, case.circuit, shots=shots, seed=1) for shots in (case.shots, FEW))
    for _ in range(2):  # what is made once
        few()
    many_s, few_s = take_turns(many, few, rounds=rounds, clock=perf_counter, summary=median)
    rows = [compared(NAME, f"{simulator}, {case.name} : 10 shots", many_s, few_s, TARGET)]
    if case.seconds is not None:
        text = f"{simulator}, {case.name}, {case.shots:,} shots : {case.seconds:g} s"
        rows.append(Row(benchmark=NAME, case=text, ours_s=many_s, ratio=many_s / case.seconds, target=1.0))
    if simulator == AER:
        ours, own = (
            partial(local.run, case.circuit, shots=SHOTS_OF_AER, seed=1, sampling=sampling)
            for sampling in (Sampling.AUTO, Sampling.NATIVE)
        )
        ours_s, own_s = take_turns(ours, own, rounds=3, clock=perf_counter, summary=median)
        rows.append(compared(NAME, f"{simulator}, {case.name}, {SHOTS_OF_AER:,} shots : Aer's own", ours_s, own_s, 3.0))
    return rows
