// Subroutines with qubits by reference, a value, and a measured result.
OPENQASM 3.0;
include "stdgates.inc";
def prepare(qubit[2] r, float angle_, int turns) {
  for int k in [1:turns] {
    ry(angle_ / float(turns)) r[0];
  }
  cx r[0], r[1];
}
def parity(qubit a, qubit b, qubit helper) -> bit {
  bit result;
  reset helper;
  cx a, helper;
  cx b, helper;
  result = measure helper;
  return result;
}
qubit[4] q;
qubit helper;
bit[2] syndrome;
bit[4] c;
prepare(q[0:1], 1.1, 3);
prepare(q[2:3], 0.7, 2);
rx(0.6) q[1];
syndrome[0] = parity(q[0], q[1], helper);
syndrome[1] = parity(q[2], q[3], helper);
if (syndrome[0]) x q[1];
c = measure q;
