// Qubits that nothing acts on, before, between and after those in use.
OPENQASM 2.0;
include "qelib1.inc";
qreg q[7];
creg c[2];
h q[2];
cx q[2], q[4];
measure q[2] -> c[0];
measure q[4] -> c[1];
