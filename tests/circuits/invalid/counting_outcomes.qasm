// error: UnsupportedError: line 9: .*needed to build it
OPENQASM 3.0;
include "stdgates.inc";
qubit[2] q;
bit c;
int n = 0;
c = measure q[0];
if (c) { n += 1; }
x q[n];
