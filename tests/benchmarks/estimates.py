"""Measures how long runs take, beside what the door estimates: ``python tests/benchmarks/estimates.py [NAME ...]``.

Each circuit is run three times in turn with all others, and its shortest time counts. With ``--fit`` the program prints
the speeds that fit the times best, for ``gateway/door/circuits/speeds.py``.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import time
from typing import NamedTuple

import numpy as np
from scipy.optimize import nnls

from gateway.backends.local import LocalSimulator
from gateway.circuit import Circuit, parse
from gateway.circuit.needs import needs
from gateway.door.circuits.sight import look
from gateway.door.circuits.speeds import Work, seconds_of, work_of
from gateway.door.examples import examples
from gateway.errors import JobTimeout, LimitError, UnsupportedError
from gateway.results import ResultType
from gateway.simulators import rows

ROUNDS = 3
_LONGEST_S = 5.0

_MEASURED = {"stim": ("runs", "operations", "outcomes", "shots", "bits"),
             "mqt": ("runs", "operations", "outcomes", "bits", "steps", "nodes")}  # fmt: skip
_MEASURED_OF_STATES = ("runs", "operations", "amplitudes", "state", "outcomes", "shots", "steps", "followed")
"""What the time of a run is made of."""


class Case(NamedTuple):
    """One circuit and its shots."""

    name: str
    circuit: Circuit
    shots: int


def layered(qubits: int, layers: int, *, clifford: bool, measured_before: int = 0) -> Circuit:
    """Return layers of rotations and controlled gates, perhaps measurements on the way, and all measured at the end."""
    rng = random.Random(qubits * layers)
    circuit = Circuit(qubits, qubits)
    for layer in range(layers):
        for qubit in range(qubits):
            if clifford:
                circuit.h(qubit).s(qubit)
            else:
                circuit.ry(rng.random() * 3, qubit).rz(rng.random() * 3, qubit)
        for qubit in range(layer % 2, qubits - 1, 2):
            circuit.cx(qubit, qubit + 1)
    for number in range(measured_before):
        qubit = number % qubits
        circuit.measure(qubit, qubit).x((qubit + 1) % qubits, when={qubit: 1}).h(qubit)
    for qubit in range(qubits):
        circuit.measure(qubit, qubit)
    return circuit


def cases(*, clifford: bool) -> list[Case]:
    """Return circuits of 2 to 20 qubits, and the examples of the door."""
    found = [Case(each.name, parse(each.openqasm), 10_000) for each in examples()]
    for qubits in (2, 5, 8, 11, 14, 17, 20):
        for layers in (2, 20, 100) if qubits <= 11 else (2, 10) if qubits < 20 else (2, 4):
            circuit = layered(qubits, layers, clifford=clifford)
            found += [Case(f"{qubits} qubits, {layers} layers", circuit, shots) for shots in (1_000, 100_000)]
    for qubits, number in ((3, 2), (4, 6), (6, 4), (10, 5), (14, 4), (5, 10)):
        circuit = layered(qubits, 2, clifford=clifford, measured_before=number)
        found += [Case(f"{qubits} qubits, {number} measured before", circuit, shots) for shots in (100, 10_000)]
    return found


def work(case: Case) -> Work | None:
    """Return what a run of a case asks for."""
    asks_for = needs(case.circuit)
    outcomes = look(case.circuit, asks_for, case.shots, None, 1).outcomes
    return work_of(case.circuit, asks_for, case.shots, ResultType.COUNTS, outcomes)


def measured(name: str) -> list[tuple[Case, float]]:
    """Return how long the runs take that the simulator takes, in seconds."""
    every = cases(clifford=name == "stim")
    times: list[list[float]] = [[] for _ in every]
    backend = LocalSimulator(name, workers=1)
    try:
        backend.run(Circuit(2).h(0).measure_all(), shots=10)
        for _ in range(ROUNDS):
            for case, found in zip(every, times, strict=True):
                start = time.perf_counter()
                with contextlib.suppress(LimitError, UnsupportedError, JobTimeout):
                    backend.run(case.circuit, shots=case.shots, timeout_s=_LONGEST_S)
                    found.append(time.perf_counter() - start)
    finally:
        backend.close()
    return [(case, min(found)) for case, found in zip(every, times, strict=True) if found]


def show(name: str, times: list[tuple[Case, float]]) -> None:
    """Print each time beside its estimate."""
    ratios = []
    for case, seconds in times:
        asked = work(case)
        estimate = None if asked is None else seconds_of(name, asked)
        text = "nobody knows" if estimate is None else f"{1e3 * estimate:9.1f} ms   {estimate / seconds:5.2f}"
        print(f"  {case.name:32} {case.shots:>7} shots {1e3 * seconds:9.1f} ms   estimated {text}")
        ratios += [] if estimate is None else [estimate / seconds]
    within = sum(1 / 3 <= ratio <= 3 for ratio in ratios)
    print(f"  {within} of {len(ratios)} within a factor of 3; from {min(ratios):.2f} to {max(ratios):.2f}")


def fit(name: str, times: list[tuple[Case, float]]) -> None:
    """Print the speed that fits the times best, each time counting as much as any other."""
    fields = _MEASURED.get(name, _MEASURED_OF_STATES)
    rows_ = [(asked, seconds) for case, seconds in times if (asked := work(case)) is not None]
    matrix = np.array([[getattr(asked, field) / seconds for field in fields] for asked, seconds in rows_])
    scales = np.maximum(matrix.max(axis=0), 1e-300)
    found, _ = nnls(matrix / scales, np.ones(len(rows_)))
    values = {field: value for field, value in zip(fields, found / scales, strict=True) if value}
    print(f'  "{name}": Work({", ".join(f"{field}={value:.1e}" for field, value in values.items())})')


def main() -> None:
    """Measure the simulators that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--fit", action="store_true", help="print speeds that fit the times")
    arguments = parser.parse_args()
    for name in arguments.names or [row.name for row in rows()]:
        print(name)
        times = measured(name)
        show(name, times)
        if arguments.fit:
            fit(name, times)


if __name__ == "__main__":
    main()
