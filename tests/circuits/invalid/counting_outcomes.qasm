// error: UnsupportedError: line 8: .*n
OPENQASM 3.0;
include "stdgates.inc";
qubit q;
bit c;
int n = 0;
c = measure q;
if (c) { n += 1; }
