// A loop over measured bits counts its ones; right: r is 1 where two of three coins are.
OPENQASM 3.0;
include "stdgates.inc";
qubit[4] q;
bit[3] c;
bit r;
h q[0:2];
c = measure q[0:2];
uint[2] ones = 0;
for bit b in c {
  if (b) { ones += 1; }
}
if (ones >= 2) { x q[3]; }
r = measure q[3];
