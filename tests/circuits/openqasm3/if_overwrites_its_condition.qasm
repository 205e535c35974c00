// A branch measures into the bit that it tests, and goes on; right: 00 1/4, 10 1/2, 11 1/4.
OPENQASM 3.0;
include "stdgates.inc";
qubit[3] q;
bit[2] c;
h q[0];
h q[1];
c[0] = measure q[0];
if (c[0]) {
  c[0] = measure q[1];
  x q[2];
} else {
  h q[2];
}
c[1] = measure q[2];
