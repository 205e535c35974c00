"""Measures the comparison: the statistics of one simulator, and what comparing adds to the calls themselves."""

from __future__ import annotations

from statistics import median
from time import perf_counter, process_time

import numpy as np
from measuring import Row, compared, freeze

from gateway.backends.base import Backend
from gateway.backends.local import LocalSimulator
from gateway.circuit import Circuit
from gateway.compare import compare
from gateway.compare.statistics import tests
from gateway.compare.statistics.outcomes import Distribution, Sample
from gateway.counts import Counts, Probabilities
from gateway.simulators import SIMULATORS

NAME = "comparison"
LARGE_S, BELL_S = 1.0, 0.005
OF_THE_CALLS = 1.3
SIX = tuple(row.name for row in SIMULATORS.values() if row.capabilities.gates == "universal")
"""The simulators that take every gate."""


def measure(_: str, *, quick: bool) -> list[Row]:
    """Return the time of the tests from counts on, and of a whole comparison of a Bell pair."""
    large = np.random.default_rng(1).dirichlet(np.ones(2**20))
    return [
        _of_statistics("10^6 shots over 2^20 outcomes", large, 20, 10**6, LARGE_S, 2 if quick else 5),
        _of_statistics("Bell pair, 10,000 shots", np.array([0.5, 0, 0, 0.5]), 2, 10_000, BELL_S, 20),
        _of_comparison(5 if quick else 15),
    ]


def _of_statistics(case: str, chances: np.ndarray, width: int, shots: int, bound_s: float, rounds: int) -> Row:
    counts = np.random.default_rng(2).multinomial(shots, chances / chances.sum())
    keys = [format(code, f"0{width}b") for code in range(len(chances))]
    drawn = Counts({key: int(count) for key, count in zip(keys, counts, strict=True)}, width=width)
    exact = Probabilities({key: float(chance) for key, chance in zip(keys, chances, strict=True)}, width)
    times = []
    freeze()
    for _ in range(rounds):
        reference = tests.prepare(Distribution.of(exact, width))
        began = process_time()
        found = tests.against(Sample.of(drawn, width), reference)
        times.append(process_time() - began)
        assert min(test.p_value for test in found) > 1e-9
    return compared(NAME, f"{case} : {bound_s:g} s", min(times), bound_s, 1.0)


def _of_comparison(rounds: int) -> Row:
    """Compare a Bell pair on six running simulators, in turns with the calls that this takes."""
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
