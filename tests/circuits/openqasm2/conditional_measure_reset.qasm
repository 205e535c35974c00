// Measurements and resets that happen only under a condition.
OPENQASM 2.0;
include "qelib1.inc";
qreg q[3];
creg m[1];
creg c[2];
h q[0];
x q[1];
ry(0.9) q[2];
measure q[0] -> m[0];
if (m == 1) reset q[1];
if (m == 0) measure q[2] -> c[0];
measure q[1] -> c[1];
