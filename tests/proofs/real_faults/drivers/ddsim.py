"""MQT DDSIM, through Qiskit."""

from lines import serve
from mqt.ddsim import DDSIMProvider
from qiskit import QuantumCircuit


def run(request):
    if all(operation[0] != "measure" for operation in request["operations"]):
        raise ValueError("DDSIM returns qubits where nothing is measured")
    circuit = QuantumCircuit.from_qasm_str(request["openqasm2"])
    simulator = DDSIMProvider().get_backend("qasm_simulator")
    job = simulator.run(circuit, shots=request["shots"], seed_simulator=request["seed"])
    return {"counts": job.result().get_counts()}


serve(run)
