// A chain of Toffolis that carries a one along the register.
OPENQASM 2.0;
include "qelib1.inc";
qreg q[6];
creg c[6];
x q[0];
h q[1];
ccx q[0], q[1], q[2];
x q[3];
ccx q[2], q[3], q[4];
ccx q[3], q[4], q[5];
measure q -> c;
