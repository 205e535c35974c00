"""Qiskit Aer's matrix product states, by the names of 2020."""

from lines import serve
from qiskit import QuantumCircuit, execute
from qiskit.providers.aer import QasmSimulator


def run(request):
    circuit = QuantumCircuit.from_qasm_str(request["openqasm2"])
    simulator = QasmSimulator(method="matrix_product_state")
    job = execute(circuit, simulator, shots=request["shots"], seed_simulator=request["seed"])
    return {"counts": job.result().get_counts()}


serve(run)
