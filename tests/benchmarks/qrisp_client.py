"""Run by released_qrisp.py in an environment with a released qrisp and Qiskit Aer: times its client.

Arguments: the port of our server of Qiskit Aer, the number of rounds. Prints the medians as JSON.
"""

from __future__ import annotations

import json
import sys
from functools import partial
from statistics import median
from time import perf_counter

import qrisp
from measuring import take_turns
from qiskit import QuantumCircuit
from qiskit_aer import AerSimulator
from qrisp.interface import BackendClient, BackendServer

from gateway.listener import bind

SHOTS = 1_000


def main(port: int, rounds: int) -> None:
    """Take turns between the two servers."""
    simulator = AerSimulator()

    def run_func(text: str, shots: int, token: str) -> dict[str, int]:
        counts = simulator.run(QuantumCircuit.from_qasm_str(text), shots=shots).result().get_counts()
        return {key.replace(" ", ""): value for key, value in counts.items()}

    with bind("127.0.0.1", 0) as free:
        other_port = free.getsockname()[1]
    BackendServer(run_func, "127.0.0.1", other_port).start()
    ours = partial(BackendClient("127.0.0.1", port).run, bell(), SHOTS)
    other = partial(BackendClient("127.0.0.1", other_port).run, bell(), SHOTS)
    for _ in range(5):  # everything that happens only once
        ours()
        other()
    ours_s, other_s = take_turns(ours, other, rounds=rounds, clock=perf_counter, summary=median, check=check)
    print(json.dumps({"ours": ours_s, "other": other_s}))


def bell() -> qrisp.QuantumCircuit:
    """Return a measured Bell pair."""
    circuit = qrisp.QuantumCircuit(2, 2)
    circuit.h(0)
    circuit.cx(0, 1)
    for qubit, clbit in zip(circuit.qubits, circuit.clbits, strict=True):
        circuit.measure(qubit, clbit)
    return circuit


def check(*answers: dict[str, int]) -> None:
    """Both have run the same circuit."""
    for counts in answers:
        assert set(counts) == {"00", "11"}
        assert sum(counts.values()) == SHOTS


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
