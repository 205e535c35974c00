// An opaque gate is declared but never applied.
OPENQASM 2.0;
include "qelib1.inc";
opaque pulse(a, b) p, q;
opaque wait q;
qreg q[2];
creg c[2];
h q[0];
cx q[0], q[1];
measure q -> c;
