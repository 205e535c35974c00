// A while loop on a variable, with break and continue.
OPENQASM 3.0;
include "stdgates.inc";
qubit[5] q;
bit[5] c;
int i = 0;
float t = 0.2;
while (i < 10) {
  i += 1;
  if (i == 2) continue;
  if (i > 5) break;
  ry(t) q[i - 1];
  t *= 2;
}
if (i == 6) { cx q[0], q[1]; } else { x q; }
c = measure q;
