// error: CircuitInvalidError: line 5: .*frobnicate
OPENQASM 2.0;
include "qelib1.inc";
qreg q[1];
frobnicate q[0];
