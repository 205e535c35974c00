// A loop on outcomes inside another one, left by a return; right: c is 11.
OPENQASM 3.0;
include "stdgates.inc";
def both(qubit a, qubit b) -> bit {
  bool first = false;
  bool second = false;
  while (true) {
    h a;
    first = measure a;
    while (!second) {
      h b;
      second = measure b;
    }
    if (first && second) { return 1; }
  }
  return 0;
}
qubit[2] q;
bit[2] c;
c[0] = both(q[0], q[1]);
c[1] = measure q[1];
