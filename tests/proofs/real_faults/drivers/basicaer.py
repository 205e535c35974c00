"""BasicAer, the simulator in Python that came with Qiskit Terra."""

from concurrent.futures import ThreadPoolExecutor

from lines import serve
from qiskit import BasicAer, QuantumCircuit, execute
from qiskit.providers.basicaer.basicaerjob import BasicAerJob


def run(request):
    circuit = QuantumCircuit.from_qasm_str(request["openqasm2"])
    simulator = BasicAer.get_backend("qasm_simulator")
    job = execute(circuit, simulator, shots=request["shots"], seed_simulator=request["seed"])
    return {"counts": job.result().get_counts()}


BasicAerJob._executor = ThreadPoolExecutor(1)  # as on macOS and Windows; elsewhere it forks, which may never return
serve(run)
