// An ansatz over a ring with wrapped indices.
OPENQASM 3.0;
include "stdgates.inc";
const int n = 4;
qubit[n] q;
bit[n] c;
for int layer in [0:2] {
  for int i in [0:n - 1] {
    ry(0.3 + 0.2 * i - 0.25 * layer) q[i];
  }
  for int i in [0:n - 1] {
    cx q[i], q[(i + 1) % n];
  }
}
c = measure q;
