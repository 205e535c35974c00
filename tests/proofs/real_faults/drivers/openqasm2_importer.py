"""Qiskit's importer of OpenQASM 2 with the gates that later copies of ``qelib1.inc`` have, and Aer behind it."""

from lines import serve
from qiskit import qasm2, transpile
from qiskit_aer import AerSimulator


def run(request):
    circuit = qasm2.loads(request["openqasm2"], custom_instructions=qasm2.LEGACY_CUSTOM_INSTRUCTIONS)
    simulator = AerSimulator()
    circuit = transpile(circuit, simulator, optimization_level=0)
    job = simulator.run(circuit, shots=request["shots"], seed_simulator=request["seed"])
    return {"counts": job.result().get_counts()}


serve(run)
