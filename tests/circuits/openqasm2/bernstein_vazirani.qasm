// Bernstein and Vazirani's problem with the hidden string 10110.
OPENQASM 2.0;
include "qelib1.inc";
qreg q[5];
qreg work[1];
creg c[5];
x work[0];
h q;
h work;
cx q[1], work[0];
cx q[2], work[0];
cx q[4], work[0];
h q;
measure q -> c;
