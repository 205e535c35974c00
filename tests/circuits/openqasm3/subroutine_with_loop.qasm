// A repeat-until-success loop inside a subroutine that is called twice.
OPENQASM 3.0;
include "stdgates.inc";
def prepared(qubit a, uint[2] most) -> uint[2] {
  uint[2] tries = 0;
  while (tries < most) {
    reset a;
    ry(pi / 3) a;
    bool found = measure a;
    tries += 1;
    if (found) { return tries; }
  }
  return 0;
}
qubit[2] q;
bit[2] c;
output uint[2] sum;
sum = prepared(q[0], 2);
sum += prepared(q[1], 1);
c = measure q;
