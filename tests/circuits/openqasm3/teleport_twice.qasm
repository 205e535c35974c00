// Teleportation in a loop, back and forth over the same two ancillas; right: c[2] is 1 with sin(0.4)^2.
OPENQASM 3.0;
include "stdgates.inc";
qubit[3] q;
bit[3] c;
ry(0.8) q[0];
for int turn in [0:1] {
  h q[1];
  cx q[1], q[2];
  cx q[0], q[1];
  h q[0];
  c[0:1] = measure q[0:1];
  if (c[1]) x q[2];
  if (c[0]) z q[2];
  reset q[0:1];
  if (turn == 0) { swap q[0], q[2]; }
}
c[2] = measure q[2];
c[0] = 0;
c[1] = 0;
