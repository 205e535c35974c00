// error: LimitError: qubits
OPENQASM 3.0;
qubit[1000000000] q;
