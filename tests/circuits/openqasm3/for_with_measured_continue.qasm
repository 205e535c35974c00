// What a continue skips happens only in the other turns; right: 000, 011, 101, 110 with 1/4 each.
OPENQASM 3.0;
include "stdgates.inc";
qubit[3] q;
bit[3] c;
h q[0];
h q[1];
for int i in [0:1] {
  c[i] = measure q[i];
  if (c[i]) continue;
  x q[2];
}
c[2] = measure q[2];
