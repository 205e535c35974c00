OPENQASM 3;
include "stdgates.inc";

// Five qubits that all agree
qubit[5] q;
bit[5] c;

h q[0];
for int i in [0:3] {
  cx q[i], q[i + 1];
}
c = measure q;
