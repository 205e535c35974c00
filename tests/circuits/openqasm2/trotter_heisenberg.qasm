// Trotter steps of a Heisenberg chain with all three couplings.
OPENQASM 2.0;
include "qelib1.inc";
gate couple(t) a, b { rxx(t) a, b; ryy(t) a, b; rzz(t) a, b; }
qreg q[3];
creg c[3];
x q[0];
couple(0.5) q[0], q[1];
couple(0.5) q[1], q[2];
rz(0.2) q;
couple(0.5) q[0], q[1];
couple(0.5) q[1], q[2];
measure q -> c;
