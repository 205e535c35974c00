// Gates under more controls than the table has rows for.
OPENQASM 3.0;
include "stdgates.inc";
qubit[8] q;
bit[8] c;
h q;
ctrl(6) @ x q[0], q[1], q[2], q[3], q[4], q[5], q[6];
x q[0:4];
ctrl(5) @ p(1.1) q[0], q[1], q[2], q[3], q[4], q[7];
negctrl(2) @ ctrl(2) @ ry(0.8) q[0], q[1], q[2], q[3], q[7];
h q[0:3];
reset q[4:6];
h q[7];
c = measure q;
