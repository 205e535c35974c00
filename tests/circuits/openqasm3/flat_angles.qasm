// Nothing but flat statements: gates, angles, barriers, reset, a condition.
OPENQASM 3.0;
include "stdgates.inc";
qubit[3] q;
bit[3] c;
bit m;
h q;
rx(-pi/4) q[0];
u3(0.1, 0.2, 0.3) q[1];
cu(0.4, 0.5, 0.6, 0.7) q[1], q[2];
barrier q;
crz(2*pi/7) q[0], q[2];
phase(0.3) q[0];
cphase(0.9) q[0], q[1];
m = measure q[0];
reset q[0];
if (m == 1) x q[0];
if (m == 0) ry(0.2) q[1];
c = measure q;
