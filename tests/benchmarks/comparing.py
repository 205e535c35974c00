"""Measures what a comparison adds to the calls themselves."""

from __future__ import annotations

from statistics import median
from time import perf_counter

from measuring import Row, compared, freeze

from gateway.backends.base import Backend
from gateway.backends.local import LocalSimulator
from gateway.circuit import Circuit
from gateway.compare import compare
from gateway.simulators import SIMULATORS

NAME = "comparison"
OF_THE_CALLS = 1.3
SIX = tuple(row.name for row in SIMULATORS.values() if row.capabilities.gates == "universal")
"""The simulators that take every gate."""


def measure(_: str, *, quick: bool) -> list[Row]:
    """Compare a Bell pair on six running simulators, in turns with the calls that this takes."""
    return [_of_comparison(5 if quick else 15)]


def _of_comparison(rounds: int) -> Row:
    bell = Circuit(2).h(0).cx(0, 1).measure_all()
    backends: dict[str, Backend] = {name: LocalSimulator(name) for name in SIX}
    compare(bell, backends, progress=None)
    times: tuple[list[float], list[float]] = ([], [])
    freeze()
    for _ in range(rounds):
        began = perf_counter()
        comparison = compare(bell, backends, progress=None)
        times[0].append(perf_counter() - began)
        assert comparison.all_agree
        began = perf_counter()
        for backend in backends.values():
            _calls(backend, bell)
        times[1].append(perf_counter() - began)
    return compared(
        NAME, "Bell pair on six : the same calls in a loop", median(times[0]), median(times[1]), OF_THE_CALLS
    )


def _calls(backend: Backend, bell: Circuit) -> None:
    """Call a backend as a comparison does: shots, the exact result, two seeds, and one of them again."""
    backend.run(bell, shots=10_000)
    backend.run(bell, shots=None)
    backend.run([bell, bell], shots=256, seed=1)
    backend.run([bell], shots=256, seed=1)
