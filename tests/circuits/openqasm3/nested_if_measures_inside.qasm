// Each level measures what the next one tests; right: 000 1/2, 001 1/4, 011 1/8, 110 1/8.
OPENQASM 3.0;
include "stdgates.inc";
qubit[3] q;
bit[3] c;
h q;
c[0] = measure q[0];
if (c[0]) {
  c[1] = measure q[1];
  if (c[1]) {
    c[2] = measure q[2];
    if (c[2]) { x q[0]; }
    c[0] = measure q[0];
  }
}
