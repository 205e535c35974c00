// Grover's search with controls written as modifiers, two rounds.
OPENQASM 3.0;
include "stdgates.inc";
qubit[4] q;
bit[4] c;
def diffuse(qubit[4] r) {
  h r;
  negctrl(4) @ gphase(pi) r[0], r[1], r[2], r[3];
  h r;
}
gate mark a, b, d, e { negctrl @ ctrl(2) @ z a, b, d, e; }
h q;
for int round in [1:2] {
  mark q[0], q[1], q[2], q[3];
  diffuse(q);
}
c = measure q;
