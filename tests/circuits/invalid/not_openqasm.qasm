// error: CircuitSyntaxError: line
from qiskit import QuantumCircuit
circuit = QuantumCircuit(2)
