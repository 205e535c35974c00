// error: LimitError: operations
OPENQASM 3.0;
include "stdgates.inc";
qubit q;
pow(10000000) @ h q;
