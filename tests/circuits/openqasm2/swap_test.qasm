// The swap test of two states that overlap partly.
OPENQASM 2.0;
include "qelib1.inc";
qreg anc[1];
qreg a[1];
qreg b[1];
creg c[1];
ry(0.6) a[0];
ry(1.9) b[0];
h anc[0];
cswap anc[0], a[0], b[0];
h anc[0];
measure anc -> c;
