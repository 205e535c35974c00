// error: CircuitInvalidError: line 3: .*include
OPENQASM 2.0;
include "../../secrets.inc";
qreg q[1];
