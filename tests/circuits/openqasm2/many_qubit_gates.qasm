// Every gate of the standard include that acts on three qubits and more.
OPENQASM 2.0;
include "qelib1.inc";
qreg q[5];
creg c[5];
h q;
p(0.3) q[0];
p(0.5) q[3];
ccx q[0], q[1], q[2];
cswap q[2], q[0], q[3];
rccx q[1], q[2], q[3];
rc3x q[0], q[1], q[2], q[3];
c3x q[1], q[2], q[3], q[4];
c3sqrtx q[4], q[0], q[1], q[2];
c4x q[0], q[1], q[2], q[3], q[4];
ry(0.6) q;
h q[4];
measure q -> c;
