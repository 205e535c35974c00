// The phase-flip code against a z rotation, decoded with a Toffoli.
OPENQASM 2.0;
include "qelib1.inc";
qreg q[3];
creg c[3];
ry(0.8) q[0];
cx q[0], q[1];
cx q[0], q[2];
h q;
rz(0.9) q[1];
h q;
cx q[0], q[1];
cx q[0], q[2];
ccx q[1], q[2], q[0];
measure q -> c;
