"""A million shots of 20 qubits, against the framework's own fastest sampler and counting its bits."""

from __future__ import annotations

from functools import partial
from importlib import import_module

from measuring import Row, compared, take_turns
from workloads import circuit_of, product_gates, wide_gates

from adapters.base import Adapter
from gateway.counts import Counts
from gateway.simulators import SIMULATORS, load

NAME = "sample"
TARGET = 1.3
SHOTS = 1_000_000
NUM_QUBITS = 20
NO_DENSE_STATE = frozenset({"mqt"})
"""On the wide state a decision diagram spends a minute on evolution, and sampling would not be seen."""

SAME = 0.005
"""Frequencies differ by less than this: seven standard deviations."""


def measure(simulator: str, *, quick: bool) -> list[Row]:
    """Compare ``run`` with the framework; both evolve the same state."""
    adapter = load(SIMULATORS[simulator].adapter)
    assert isinstance(adapter, Adapter)
    gates = (product_gates if simulator in NO_DENSE_STATE else wide_gates)(NUM_QUBITS)
    ours = partial(adapter.run, circuit_of(gates, NUM_QUBITS).measure_all(), shots=SHOTS, seed=1)
    bare = partial(import_module(f"bare.{simulator}").sampler(gates, NUM_QUBITS), SHOTS)
    ours_s, bare_s = take_turns(ours, bare, rounds=1 if quick else 3, check=_check)
    return [compared(NAME, f"{simulator} : its own sampler", ours_s, bare_s, TARGET)]


def _check(ours: Counts, bare: dict[str, int]) -> None:
    """Make sure that both sides sampled the same state."""
    for counts in (ours, bare):
        assert sum(counts.values()) == SHOTS
    for place in range(NUM_QUBITS):
        assert abs(_ones(ours, place) - _ones(bare, place)) < SAME, place


def _ones(counts: dict[str, int], place: int) -> float:
    return sum([times for key, times in counts.items() if key[place] == "1"]) / SHOTS
