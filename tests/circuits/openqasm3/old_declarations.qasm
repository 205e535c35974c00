// The declarations and the arrow of OpenQASM 2 inside OpenQASM 3.
OPENQASM 3.0;
include "stdgates.inc";
qreg q[2];
creg c[2];
U(pi / 2, 0, pi) q[0];
CX q[0], q[1];
u2(0.1, 0.2) q[1];
measure q[0] -> c[1];
measure q[1] -> c[0];
