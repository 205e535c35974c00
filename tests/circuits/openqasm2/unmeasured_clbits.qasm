// Clbits that nothing is measured into stay zero.
OPENQASM 2.0;
include "qelib1.inc";
qreg q[3];
creg c[6];
creg spare[2];
x q[0];
h q[1];
measure q[0] -> c[1];
measure q[1] -> c[4];
