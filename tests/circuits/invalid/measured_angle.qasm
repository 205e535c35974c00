// error: UnsupportedError: line 8: .*measured value: .*more than 64
OPENQASM 3.0;
include "stdgates.inc";
qubit[7] q;
bit[7] c;
c = measure q;
const float half = 0.5;
rx(c * half) q[0];
