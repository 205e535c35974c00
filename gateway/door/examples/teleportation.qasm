OPENQASM 3;
include "stdgates.inc";

// Teleports ry(0.7)|0> from q[0] to q[2]: two measurements decide which gates follow
qubit[3] q;
bit[2] m;
bit out;

ry(0.7) q[0];
h q[1];
cx q[1], q[2];

cx q[0], q[1];
h q[0];
m[0] = measure q[0];
m[1] = measure q[1];
if (m[1] == 1) x q[2];
if (m[0] == 1) z q[2];

ry(-0.7) q[2]; // gives 0 with certainty
out = measure q[2];
