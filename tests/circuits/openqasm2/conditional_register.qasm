// Conditions on a register of several bits, also on values that never occur.
OPENQASM 2.0;
include "qelib1.inc";
qreg q[3];
creg c[2];
creg d[2];
h q[0];
ry(2.0) q[1];
measure q[0] -> c[0];
measure q[1] -> c[1];
if (c == 0) x q[2];
if (c == 2) ry(0.5) q[2];
if (c == 3) h q[2];
if (d == 1) x q[2];
measure q[2] -> d[1];
