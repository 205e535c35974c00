"""Measures our own exact simulator, and the reduction of a fault planted in a long circuit."""

from __future__ import annotations

from time import perf_counter, process_time

import numpy as np
from measuring import Row, compared, freeze
from workloads import circuit_of, mixed_gates

from gateway.backends.base import Backend, BackendStatus
from gateway.circuit import Circuit, Operation
from gateway.compare import exact
from gateway.compare.reproducer import locate, reduce
from gateway.counts import Counts, Probabilities
from gateway.protocol.messages import RunRequest
from gateway.results import Capabilities, Result, ResultType

NAME = "reproducer"
REDUCE_S = 60.0
"""A fault planted in 200 operations is reduced within this time."""


class LosesPhases(Backend):
    """Takes every ``cp`` for a ``crz``; with exact results or without."""

    def __init__(self, *, has_exact: bool) -> None:
        self.has_exact = has_exact

    def status(self) -> BackendStatus:
        """Return that it is there."""
        return BackendStatus("loses phases", "1.0", online=True)

    def capabilities(self) -> Capabilities:
        """Return what it can do."""
        exact_too = (ResultType.PROBABILITIES,) if self.has_exact else ()
        return Capabilities(result_types=(ResultType.COUNTS, *exact_too))

    def send(self, request: RunRequest) -> list[Result]:
        """Run circuits with the wrong gate."""
        seed = request.seed or 0
        return [
            self._result(circuit, shots, seed + k)
            for k, (circuit, shots) in enumerate(zip(request.circuit_list(), request.shots_list(), strict=True))
        ]

    def _result(self, circuit: Circuit, shots: int | None, seed: int) -> Result:
        operations = [
            Operation("crz", op.qubits, op.params, (), op.condition) if op.name == "cp" else op
            for op in circuit.operations
        ]
        probabilities = exact.distribution(Circuit(circuit.num_qubits, circuit.num_clbits, operations)).to_dict()
        if shots is None:
            return Probabilities(probabilities, circuit.num_clbits)
        times = np.random.default_rng(seed).multinomial(shots, list(probabilities.values()))
        return Counts(dict(zip(probabilities, times.tolist(), strict=True)), width=circuit.num_clbits)


def measure(_: str, *, quick: bool) -> list[Row]:
    """Return the time of an exact distribution, of a reduction by each kind of evidence, and of a location."""
    freeze()
    circuit = circuit_of(mixed_gates(200), 12).measure_all()
    return [
        _exact(circuit, 20 if quick else 100),
        _reducing(circuit, has_exact=True),
        _reducing(circuit, has_exact=False),
        _locating(circuit),
    ]


def _exact(circuit: Circuit, rounds: int) -> Row:
    times = []
    for _ in range(rounds):
        began = process_time()
        exact.distribution(circuit)
        times.append(process_time() - began)
    return Row(benchmark=NAME, case="exact distribution, 12 qubits, 200 gates", ours_s=min(times))


def _reducing(circuit: Circuit, *, has_exact: bool) -> Row:
    began = perf_counter()
    reproducer = reduce(circuit, LosesPhases(has_exact=has_exact), seed=1, seconds=None)
    seconds = perf_counter() - began
    assert reproducer.minimal
    by = "exact results" if has_exact else "samples"
    return compared(NAME, f"reduce 200 operations by {by}, at most 60 s", seconds, REDUCE_S, 1.0)


def _locating(circuit: Circuit) -> Row:
    began = perf_counter()
    locate(circuit, LosesPhases(has_exact=True), seed=1)
    return Row(benchmark=NAME, case="locate in 200 operations", ours_s=perf_counter() - began)
