"""Qiskit Aer as most people use it: no method is named, so Aer chooses."""

from lines import serve
from qiskit import QuantumCircuit
from qiskit_aer import AerSimulator


def run(request):
    circuit = QuantumCircuit.from_qasm_str(request["openqasm2"])
    job = AerSimulator().run(circuit, shots=request["shots"], seed_simulator=request["seed"])
    return {"counts": job.result().get_counts()}


serve(run)
