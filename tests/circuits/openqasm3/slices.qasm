// Slices with steps and negative indices on both sides of a measurement.
OPENQASM 3.0;
include "stdgates.inc";
qubit[6] q;
bit[6] c;
x q[1:2:5];
h q[-1];
ry(0.5) q[{0, -3}];
cx q[4:-2:0], q[5:-2:1];
c[0:2] = measure q[3:5];
c[{5, 4, 3}] = measure q[0:2];
