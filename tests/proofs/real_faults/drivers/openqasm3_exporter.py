"""Qiskit's exporter of OpenQASM 3: it answers with the text, which a right simulator runs."""

from lines import serve
from qiskit import QuantumCircuit, qasm3


def run(request):
    return {"openqasm3": qasm3.dumps(QuantumCircuit.from_qasm_str(request["openqasm2"]))}


serve(run)
