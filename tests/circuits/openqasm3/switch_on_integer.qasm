// As Qiskit writes a switch: through an int that holds the register.
OPENQASM 3.0;
include "stdgates.inc";
bit[2] c;
bit d;
int switch_dummy;
qubit[3] q;
h q[0];
x q[1];
c[0] = measure q[0];
c[1] = measure q[1];
switch_dummy = c;
switch (switch_dummy) {
  case 2 { x q[2]; }
  case 0, 3 { ry(pi / 3) q[2]; }
  default { }
}
d = measure q[2];
