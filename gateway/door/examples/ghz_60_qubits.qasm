OPENQASM 3;
include "stdgates.inc";

// Clifford gates only: 60 qubits are too many for a state vector, not for stabilizers or decision diagrams
qubit[60] q;
bit[60] c;

h q[0];
for int i in [0:58] {
  cx q[i], q[i + 1];
}
s q;
sdg q;
c = measure q;
