// A switch on two measured bits, with a case of two values and a default.
OPENQASM 3.0;
include "stdgates.inc";
qubit[4] q;
bit[2] syn;
bit[2] c;
h q[0];
ry(1.9) q[1];
syn = measure q[0:1];
switch (syn) {
  case 0 { x q[2]; }
  case 1, 2 { ry(0.5) q[2]; h q[3]; }
  default { x q[3]; }
}
c = measure q[2:3];
