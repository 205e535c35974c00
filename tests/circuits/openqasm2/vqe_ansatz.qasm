// A hardware-efficient ansatz: layers of rotations and a ring of entanglers.
OPENQASM 2.0;
include "qelib1.inc";
gate layer(a, b, c, d) p, q, r, s { ry(a) p; ry(b) q; ry(c) r; ry(d) s; }
gate ring p, q, r, s { cx p, q; cx q, r; cx r, s; cx s, p; }
qreg q[4];
creg c[4];
layer(0.11, 0.52, -0.73, 1.2) q[0], q[1], q[2], q[3];
ring q[0], q[1], q[2], q[3];
layer(-0.31, 0.27, 0.9, -0.45) q[0], q[1], q[2], q[3];
ring q[0], q[1], q[2], q[3];
rz(0.3) q;
layer(0.7, -1.1, 0.2, 0.66) q[0], q[1], q[2], q[3];
measure q -> c;
