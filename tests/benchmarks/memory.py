"""Measures what runs take in memory, beside what adapters estimate: ``python tests/benchmarks/memory.py [NAME ...]``.

Each run has a process of its own. The estimate is an upper bound: the program fails where a peak exceeds it by more
than the part that is not counted. A run for which an adapter cannot estimate anything is shown and not judged.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from adapters.shared.room import Room
from gateway.circuit import Circuit
from gateway.execution.runner import Runner
from gateway.execution.worker import rehearse
from gateway.observables import observable_list
from gateway.protocol.messages import RunRequest, ServerLimits, encode
from gateway.results import ResultType, Sampling
from gateway.simulators import find, load, rows

UNCOUNTED_BYTES = 24 * 2**20
"""What a run may take beyond its estimate: modules that it imports, tables of the framework, small parts."""


class Case(NamedTuple):
    """One run.

    Args:
        name: what it shows.
        qubits: the number of qubits.
        clbits: the number of clbits.
        result: the result type.
        shots: the number of shots, 0 for an exact result.
        sampling: who draws the shots.
        layers: how many layers of gates there are.
        measured_before: how many qubits are measured and used again.
    """

    name: str
    qubits: int
    clbits: int
    result: str
    shots: int = 0
    sampling: str = "auto"
    layers: int = 1
    measured_before: int = 0


CASES = (
    Case("a large state", 22, 22, "counts", 10),
    Case("a large state, own sampler", 22, 22, "counts", 10, "native"),
    Case("a large state, half measured", 22, 11, "counts", 10),
    Case("exact probabilities", 18, 18, "probabilities"),
    Case("a state vector", 18, 0, "statevector"),
    Case("an expectation value", 22, 0, "expectation"),
    Case("an estimated expectation value", 20, 0, "expectation", 10_000),
    Case("an estimate from many outcomes", 18, 0, "expectation", 300_000),
    Case("some amplitudes", 22, 0, "amplitudes"),
    Case("a density matrix", 9, 0, "density_matrix"),
    Case("the bits of each shot", 14, 14, "memory", 300_000),
    Case("branches, by shots", 19, 19, "counts", 20, measured_before=8),
    Case("branches, exact", 13, 13, "probabilities", measured_before=6),
    Case("branches of a large state, exact", 20, 4, "probabilities", measured_before=3),
    Case("wide bitstrings", 11, 30_000, "probabilities"),
    Case("wide bitstrings, by shots", 11, 30_000, "counts", 1_500),
    Case("wide bitstrings, own sampler", 11, 30_000, "counts", 1_500, "native"),
    Case("many shots", 14, 14, "counts", 300_000),
    Case("many shots, own sampler", 14, 14, "counts", 300_000, "native"),
    Case("many operations", 4, 4, "counts", 10, layers=5_000),
    Case("many operations, own sampler", 4, 4, "counts", 10, "native", layers=5_000),
)


def circuit_of(case: Case, *, clifford: bool) -> Circuit:
    """Return the circuit of a case: all its outcomes are about equally likely."""
    circuit = Circuit(case.qubits, case.clbits)
    for layer in range(case.layers):
        for qubit in range(case.qubits):
            circuit.h(qubit)
            if not clifford:
                circuit.rz(0.1 * (qubit + 1) + layer, qubit).rx(0.3 + 0.05 * qubit, qubit)
    for qubit in range(case.measured_before):
        circuit.measure(qubit, min(qubit, case.clbits - 1)).h(qubit)
    if ResultType(case.result).of_clbits:
        for qubit in range(min(case.qubits, case.clbits)):
            circuit.measure(qubit, qubit)
    return circuit


def measure(simulator: str, case: Case) -> dict[str, float]:
    """Run a case in this process, and return its peak and its estimate in bytes."""
    adapter = load(find(simulator).adapter)
    rehearse(adapter)
    estimates: list[int] = []
    close = Room.close

    def noting_close(room: Room) -> None:
        estimates.append(sum(room.parts.values()))
        close(room)

    Room.close = noting_close
    clifford = adapter.capabilities.gates != "universal"
    request = RunRequest(circuits=circuit_of(case, clifford=clifford), shots=case.shots or None, seed=1,
                         result=ResultType(case.result), sampling=Sampling(case.sampling),
                         **_details_of(case))  # fmt: skip
    body = encode(request)
    del request
    runner = Runner(adapter, ServerLimits())
    Path("/proc/self/clear_refs").write_bytes(b"5")
    before = _status("VmRSS")
    answer = runner.run(body, None)
    peak = _status("VmHWM") - before
    return {"status": answer.status, "peak": peak, "estimate": max(estimates, default=0)}


def _details_of(case: Case) -> dict[str, object]:
    """Return what the result type of a case needs."""
    needs = {"observables": observable_list(["Z" * case.qubits, "X" * case.qubits, {"X0 Y1": 1, "Z2": -2}]),
             "bitstrings": ("0" * case.qubits, "1" * case.qubits)}  # fmt: skip
    return {name: needs[name] for name in ResultType(case.result).result_class.needs}


def _status(name: str) -> int:
    for line in Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise LookupError(name)


def _measured(simulator: str) -> Iterator[tuple[Case, dict[str, float]]]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[2])}
    for number, case in enumerate(CASES):
        command = [find(simulator).python(), __file__, "--case", simulator, str(number)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=600)
        yield case, json.loads(done.stdout.splitlines()[-1])


def main(names: list[str]) -> int:
    """Print the table, and return 1 if a peak exceeds its estimate."""
    exceeded = 0
    print(f"{'simulator':10} {'run':36} {'peak MB':>8} {'estimate':>9} {'ratio':>6}")
    for simulator in names or [row.name for row in rows()]:
        for case, found in _measured(simulator):
            if found["status"] != 200:
                continue
            peak, estimate = found["peak"], found["estimate"]
            ratio = f"{estimate / peak:.2f}" if estimate else "-"
            too_much = 0 < estimate < peak - UNCOUNTED_BYTES
            exceeded += too_much
            mark = "  EXCEEDED" if too_much else ""
            print(f"{simulator:10} {case.name:36} {peak / 1e6:8.0f} {estimate / 1e6:9.0f} {ratio:>6}{mark}", flush=True)
    return 1 if exceeded else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--case"]:
        print(json.dumps(measure(sys.argv[2], CASES[int(sys.argv[3])])))
    else:
        sys.exit(main(sys.argv[1:]))
