// Iterative phase estimation by a loop with feed-forward from earlier bits.
OPENQASM 3.0;
include "stdgates.inc";
const int n = 3;
qubit q;
qubit eigen;
bit[n] b;
x eigen;
for int k in [0:n - 1] {
  reset q;
  h q;
  ctrl @ pow(2 ** (n - 1 - k)) @ p(2 * pi * 0.35) q, eigen;
  for int j in [0:k - 1] {
    if (b[j]) p(-pi / 2 ** (k - j)) q;
  }
  h q;
  b[k] = measure q;
}
