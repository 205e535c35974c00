// Measured results in the middle of an expression and of a condition; right: r is 1 with 1/4, whatever c is.
OPENQASM 3.0;
include "stdgates.inc";
def toss(qubit a) -> bit {
  reset a;
  h a;
  return measure a;
}
qubit[2] q;
bit[2] c;
bit r;
c[0] = toss(q[0]);
c[1] = toss(q[0]);
r = c[0] ^ c[1] ^ toss(q[1]);
if (toss(q[1])) { r = 0; }
