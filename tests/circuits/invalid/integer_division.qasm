// error: CircuitInvalidError: line 5: .*1/2
OPENQASM 3.0;
include "stdgates.inc";
qubit q;
rx(1/2) q;
