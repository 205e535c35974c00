// Definitions within definitions, with parameters passed down as expressions.
OPENQASM 2.0;
include "qelib1.inc";
gate one(a) p { rz(a/2) p; ry(-a) p; }
gate two(a, b) p, q { one(a + b) p; cx p, q; one(a * b) q; }
gate three(a) p, q, r { two(a, 2*a) p, q; two(-a, pi - a) q, r; one(sin(a)) p; }
qreg q[3];
creg c[3];
h q[0];
three(0.4) q[0], q[1], q[2];
three(-1.3) q[2], q[0], q[1];
measure q -> c;
