// If and else on measured bits, nested, with a value known while building in between.
OPENQASM 3.0;
include "stdgates.inc";
const int level = 2;
qubit[4] q;
bit[2] m;
bit[2] c;
h q[0];
ry(1.2) q[1];
m[0] = measure q[0];
m[1] = measure q[1];
if (m[0] == 1) {
  if (level > 1) { x q[2]; }
  if (m[1] == 1) { h q[3]; } else { ry(0.3) q[3]; }
} else if (m[1]) {
  ry(0.9) q[2];
} else {
  x q[3];
}
c = measure q[2:3];
