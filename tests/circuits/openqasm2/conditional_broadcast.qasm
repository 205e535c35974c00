// A conditional gate on a whole register, and one that is a definition.
OPENQASM 2.0;
include "qelib1.inc";
gate twist(t) a, b { rx(t) a; cx a, b; rx(-t) a; }
qreg coin[1];
qreg q[3];
creg m[1];
creg c[3];
h coin[0];
measure coin[0] -> m[0];
if (m == 1) ry(0.7) q;
if (m == 1) twist(pi/3) q[0], q[1];
if (m == 0) cx q[0], q[2];
measure q -> c;
