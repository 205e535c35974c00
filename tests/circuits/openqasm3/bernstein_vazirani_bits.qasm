// The hidden string is a bit register with a value, known while the circuit is built.
OPENQASM 3.0;
include "stdgates.inc";
const bit[5] secret = "10110";
qubit[5] q;
qubit work;
bit[5] c;
x work;
h q;
h work;
for int i in [0:4] {
  if (secret[i] == 1) {
    cx q[i], work;
  }
}
h q;
c = measure q;
