// A hidden shift of a bent function on four qubits.
OPENQASM 2.0;
include "qelib1.inc";
qreg q[4];
creg c[4];
h q;
x q[0];
x q[3];
cz q[0], q[1];
cz q[2], q[3];
x q[0];
x q[3];
h q;
cz q[0], q[1];
cz q[2], q[3];
h q;
measure q -> c;
