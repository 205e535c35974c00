// Unicode names and constants, comments of both kinds, number formats.
OPENQASM 3.0;
include "stdgates.inc";
/* a comment
   of two lines */
const float θ = π / 5;
qubit[2] q; bit[2] c;
rx(θ) q[0];  // half of it follows
ry(θ / 2) q[1];
rz(1_0.5e-1) q[1];
ry(.5) q[0];
rx(0x1F / 31) q[1];
c = measure q;
