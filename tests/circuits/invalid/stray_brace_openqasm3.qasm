// error: CircuitSyntaxError: line 6
OPENQASM 3.0;
include "stdgates.inc";
qubit q;
for int i in [0:3] {
  x q; } }
