"""Circuits with mid-circuit measurement, reset and conditions: 100,000 shots against 10."""

from __future__ import annotations

from functools import partial
from statistics import median
from time import perf_counter

from measuring import Row, compared, take_turns
from workloads import dynamic, teleportation

from gateway.backends.local import LocalSimulator

NAME = "dynamic"
TARGET = 20.0
MANY = 100_000
FEW = 10


def measure(simulator: str, *, quick: bool) -> list[Row]:
    """Compare many shots with few of the same circuit, as a client of the simulator's server sees them."""
    rows = []
    with LocalSimulator(simulator, workers=1) as local:
        for name, circuit in (("teleportation", teleportation()), ("12 qubits, 200 gates", dynamic())):
            many, few = (partial(local.run, circuit, shots=shots, seed=1) for shots in (MANY, FEW))
            for _ in range(5):  # what is made once
                few()
            many_s, few_s = take_turns(many, few, rounds=5 if quick else 25, clock=perf_counter, summary=median)
            rows.append(compared(NAME, f"{simulator}, {name} : 10 shots", many_s, few_s, TARGET))
    return rows
