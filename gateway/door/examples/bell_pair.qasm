OPENQASM 3;
include "stdgates.inc";

// Two qubits that agree: 00 and 11, half of the shots each
qubit[2] q;
bit[2] c;

h q[0];
cx q[0], q[1];
c = measure q;
