// Registers are compared with each other and in order, without a table of their values.
OPENQASM 3.0;
include "stdgates.inc";
qubit[6] q;
bit[3] a;
bit[3] b;
bit[2] r;
h q[0];
h q[2];
ry(pi / 3) q[3];
x q[4];
a = measure q[0:2];
b = measure q[3:5];
r[0] = a < b;
r[1] = (a ^ b) == 5 || popcount(a) == popcount(b);
