// A variable is known, then measured, then known again, inside branches as well.
OPENQASM 3.0;
include "stdgates.inc";
qubit[2] q;
bit[2] c;
uint[2] n = 1;
h q[0];
c[0] = measure q[0];
if (c[0]) { n = 3; }
if (n == 3) { x q[1]; }
n = 2;
for uint i in [1:n] { rx(pi / 6) q[1]; }
n -= uint[2](c[0]);
if (n == 1) { x q[1]; }
c[1] = measure q[1];
