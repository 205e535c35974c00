// The W state on three qubits by controlled rotations.
OPENQASM 2.0;
include "qelib1.inc";
gate spread(theta) a, b {
  ry(-theta/2) b;
  cz a, b;
  ry(theta/2) b;
}
qreg q[3];
creg c[3];
x q[0];
spread(2*acos(sqrt(1/3))) q[0], q[1];
cx q[1], q[0];
spread(2*acos(sqrt(1/2))) q[1], q[2];
cx q[2], q[1];
measure q -> c;
