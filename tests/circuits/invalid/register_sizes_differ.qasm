// error: CircuitInvalidError: line 6: .*size
OPENQASM 2.0;
include "qelib1.inc";
qreg a[2];
qreg b[3];
cx a, b;
