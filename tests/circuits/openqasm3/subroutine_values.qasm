// Subroutines that only compute, one of them calling itself.
OPENQASM 3.0;
include "stdgates.inc";
def factorial(int n) -> int {
  if (n <= 1) { return 1; }
  return n * factorial(n - 1);
}
def angle_of(int k) -> float {
  return pi / factorial(k);
}
qubit[3] q;
bit[3] c;
for int k in [1:3] {
  rx(angle_of(k)) q[k - 1];
}
ry(angle_of(4) * 2) q[0];
c = measure q;
