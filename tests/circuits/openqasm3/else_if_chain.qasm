// Of four branches one happens, the last a rotation; right: s is uniform, r is 01, 10, 11, and 00 3/4 or 01 1/4.
OPENQASM 3.0;
include "stdgates.inc";
qubit[4] q;
bit[2] s;
bit[2] r;
h q[0];
h q[1];
s = measure q[0:1];
if (s == 0) { x q[2]; }
else if (s == 1) { x q[3]; }
else if (s == 2) { x q[2]; x q[3]; }
else { ry(pi / 3) q[2]; }
r = measure q[2:3];
