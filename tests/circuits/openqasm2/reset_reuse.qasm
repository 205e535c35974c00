// A qubit is measured, reset and used again.
OPENQASM 2.0;
include "qelib1.inc";
qreg q[2];
creg first[1];
creg second[2];
h q[0];
cx q[0], q[1];
measure q[0] -> first[0];
reset q[0];
ry(0.8) q[0];
cx q[0], q[1];
measure q -> second;
