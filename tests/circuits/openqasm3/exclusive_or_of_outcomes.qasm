// Detectors: exclusive ors of outcomes, in bits that nothing is measured into.
OPENQASM 3.0;
include "stdgates.inc";
def round_(qubit a) -> bit {
  bit b;
  b = measure a;
  reset a;
  return b;
}
qubit[3] q;
bit[2] m;
bit[2] d;
h q[0];
cx q[0], q[2];
cx q[0], q[1];
m[0] = round_(q[1]);
d[0] = m[0] ^ 0;
cx q[0], q[1];
m[1] = round_(q[1]);
d[1] = m[1] ^ m[0] ^ 0;
