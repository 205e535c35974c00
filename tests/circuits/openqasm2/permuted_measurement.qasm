// Every qubit is measured into another one's clbit.
OPENQASM 2.0;
include "qelib1.inc";
qreg q[4];
creg c[4];
x q[0];
x q[1];
h q[2];
measure q[0] -> c[2];
measure q[1] -> c[3];
measure q[2] -> c[0];
measure q[3] -> c[1];
