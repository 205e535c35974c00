"""A thousand points over 10 qubits and 40 angles, against the framework's own loop and a call for each point."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from importlib import import_module
from random import Random
from time import perf_counter

from measuring import Row, compared, take_turns
from workloads import Gate

from gateway.backends.local import LocalSimulator
from gateway.circuit import Circuit, parameter
from gateway.counts import Result
from gateway.expectation import Expectation

NAME = "sweep"
TARGET = 1.3
OF_CALLS = {"qulacs": 0.1, "qiskit": 0.5, "cirq": 1.0}
"""What is saved is all but the simulation, which takes Cirq as long either way."""

SHOTS = 1_000
NUM_QUBITS = 10
NUM_LAYERS = 2
NUM_TERMS = 20

CLOSE = 1e-6
"""Cirq computes in single precision by default."""

Terms = list[tuple[str, float]]
"""Pauli strings, one letter for each qubit and qubit 0 leftmost, with their coefficients."""


def measure(simulator: str, *, quick: bool) -> list[Row]:
    """Compare a request over HTTP, by the clock, with a loop of the framework in this process, and with many calls."""
    num_points = 100 if quick else 1_000
    names, gates = _ansatz()
    random = Random(5)
    values = [[random.uniform(-3, 3) for _ in names] for _ in range(num_points)]
    parameters = {name: [row[place] for row in values] for place, name in enumerate(names)}
    terms = _terms(random)
    circuit = _circuit(gates)
    measured = circuit.with_operations(list(circuit.operations)).measure_all()
    observable = {text[::-1]: number for text, number in terms}
    bare = import_module(f"bare.{simulator}")
    rounds = 1 if quick else 3
    with LocalSimulator(simulator) as local:
        swept = partial(local.run, measured, shots=SHOTS, seed=1, parameters=parameters)
        expected = partial(local.run, circuit, result="expectation", observables=observable, parameters=parameters)
        called = partial(_call_each, local, measured, names, values)
        local.run(measured, shots=1, parameters={name: column[:2] for name, column in parameters.items()})
        timed = partial(take_turns, rounds=rounds, clock=perf_counter)
        counts_s, own_counts_s = timed(swept, bare.sweep(gates, NUM_QUBITS, values, SHOTS), check=_check_counts)
        sums_s, own_sums_s = timed(expected, bare.estimate(gates, NUM_QUBITS, values, terms), check=_check_values)
        again_s, calls_s = take_turns(swept, called, rounds=1, clock=perf_counter, check=_check_same)
    return [
        compared(NAME, f"{simulator}, counts : its own loop", counts_s, own_counts_s, TARGET),
        compared(NAME, f"{simulator}, expectation values : its own loop", sums_s, own_sums_s, TARGET),
        compared(NAME, f"{simulator}, counts : a call for each point", again_s, calls_s, OF_CALLS[simulator]),
    ]


def _ansatz() -> tuple[list[str], list[Gate]]:
    """Return the names of the angles, and gates whose angles are numbers of these."""
    gates: list[Gate] = []
    names: list[str] = []
    for _ in range(NUM_LAYERS):
        for name in ("ry", "rz"):
            for qubit in range(NUM_QUBITS):
                gates.append((name, (qubit,), (len(names),)))
                names.append(f"theta_{len(names)}")
        gates += [("cx", (qubit, qubit + 1), ()) for qubit in range(NUM_QUBITS - 1)]
    return names, gates


def _circuit(gates: Sequence[Gate]) -> Circuit:
    circuit = Circuit(NUM_QUBITS)
    for name, qubits, params in gates:
        circuit.gate(name, qubits, [parameter(f"theta_{number}") for number in params])
    return circuit


def _terms(random: Random) -> Terms:
    texts: dict[str, float] = {}
    while len(texts) < NUM_TERMS:
        letters = ["I"] * NUM_QUBITS
        for qubit in random.sample(range(NUM_QUBITS), random.randint(1, 4)):
            letters[qubit] = random.choice("XYZ")
        texts["".join(letters)] = random.uniform(-1, 1)
    return list(texts.items())


def _call_each(
    local: LocalSimulator, circuit: Circuit, names: Sequence[str], values: Sequence[Sequence[float]]
) -> list[Result]:
    return [
        local.run(circuit, shots=SHOTS, seed=1 + point, parameters=dict(zip(names, row, strict=True)))
        for point, row in enumerate(values)
    ]


def _check_counts(ours: list[Result], theirs: list[dict[str, int]]) -> None:
    """Make sure that both sides sampled the same states: the frequencies of each qubit agree over all points."""
    assert len(ours) == len(theirs)
    for place in range(NUM_QUBITS):
        ones = [sum(_ones(counts, place) for counts in side) for side in (ours, theirs)]
        shots = len(ours) * SHOTS
        assert abs(ones[0] - ones[1]) < 7 * shots**0.5, place


def _ones(counts: object, place: int) -> int:
    return sum([times for key, times in dict(counts).items() if key[place] == "1"])  # type: ignore[call-overload]


def _check_values(ours: list[Expectation], theirs: list[float]) -> None:
    assert all(abs(float(one) - other) < CLOSE for one, other in zip(ours, theirs, strict=True))


def _check_same(ours: list[Result], theirs: list[Result]) -> None:
    assert ours == theirs
