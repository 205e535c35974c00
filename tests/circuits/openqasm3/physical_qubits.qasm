// A program on physical qubits, one of them idle.
OPENQASM 3.0;
include "stdgates.inc";
bit[2] c;
h $0;
cx $0, $2;
ry(0.3) $2;
c[0] = measure $0;
c[1] = measure $2;
