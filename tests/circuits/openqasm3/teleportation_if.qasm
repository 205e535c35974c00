// Teleportation with corrections in blocks.
OPENQASM 3.0;
include "stdgates.inc";
qubit[3] q;
bit mx;
bit mz;
bit out;
U(0.9, 0.4, -1.1) q[0];
h q[1];
cx q[1], q[2];
cx q[0], q[1];
h q[0];
mz = measure q[0];
mx = measure q[1];
if (mx) { x q[2]; }
if (mz == true) z q[2];
inv @ U(0.9, 0.4, -1.1) q[2];
out = measure q[2];
