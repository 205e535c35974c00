// A subroutine returns from several places, depending on what it measures.
OPENQASM 3.0;
include "stdgates.inc";
def trits(qubit a, qubit b) -> uint[2] {
  bool first = measure a;
  if (first) { return 1; }
  bool second = measure b;
  if (second) { return 2; }
  return 0;
}
qubit[3] q;
output uint[2] t;
bit c;
ry(pi / 3) q[0];
h q[1];
t = trits(q[0], q[1]);
if (t == 2) { x q[2]; }
c = measure q[2];
