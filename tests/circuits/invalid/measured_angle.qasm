// error: UnsupportedError: line 8: .*measured
OPENQASM 3.0;
include "stdgates.inc";
qubit q;
bit[2] c;
c[0] = measure q;
const float half = 0.5;
rx(c * half) q;
