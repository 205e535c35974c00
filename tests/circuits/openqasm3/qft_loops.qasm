// The quantum Fourier transform by nested loops with computed angles.
OPENQASM 3.0;
include "stdgates.inc";
const uint n = 4;
qubit[n] q;
bit[n] c;
x q[{0, 2}];
rx(0.4) q[1];
for uint i in [n - 1:-1:0] {
  h q[i];
  for int j in [int(i) - 1:-1:0] {
    cp(pi / 2 ** (i - j)) q[i], q[j];
  }
}
for int i in [0:n / 2 - 1] {
  swap q[i], q[n - 1 - i];
}
p(0.3) q[0];
h q;
c = measure q;
