// A bool computed from outcomes decides later, after the bits have changed.
OPENQASM 3.0;
include "stdgates.inc";
qubit[3] q;
bit[2] c;
bit r;
h q[0];
h q[1];
c = measure q[0:1];
bool f = c[0] && !c[1];
c[0] = 0;
if (f) x q[2];
r = measure q[2];
