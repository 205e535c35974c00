// Turns that a continue cuts short do not count; right: c is 11 with certainty.
OPENQASM 3.0;
include "stdgates.inc";
qubit[2] q;
bit[2] c;
uint[2] done = 0;
while (done < 2) {
  h q[0];
  c[0] = measure q[0];
  reset q[0];
  if (c[0] == 0) continue;
  x q[1];
  done += 1;
}
x q[1];
c[1] = measure q[1];
