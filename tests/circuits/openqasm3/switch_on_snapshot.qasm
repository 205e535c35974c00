// The cases of a switch write to the bits that it reads; right: decided by the value at the beginning.
OPENQASM 3.0;
include "stdgates.inc";
qubit[3] q;
bit[2] c;
bit r;
h q[0];
ry(pi / 3) q[1];
c = measure q[0:1];
switch (c) {
  case 0 { c[1] = 1; x q[2]; }
  case 1, 2 { c[0] = 0; c[1] = 0; }
  default { c[0] = 0; ry(pi / 2) q[2]; }
}
r = measure q[2];
