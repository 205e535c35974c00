// A switch on a loop variable is resolved while the circuit is built.
OPENQASM 3.0;
include "stdgates.inc";
qubit[4] q;
bit[4] c;
for int i in [0:3] {
  switch (i % 3) {
    case 0 { h q[i]; }
    case 1 { x q[i]; }
    default { ry(0.3 * i) q[i]; }
  }
}
c = measure q;
