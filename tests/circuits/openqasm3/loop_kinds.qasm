// Loops over ranges with steps, over sets and over the bits of a value.
OPENQASM 3.0;
include "stdgates.inc";
qubit[5] q;
bit[5] c;
bit[5] pattern = "01101";
for int i in [4:-2:0] { ry(0.2 * i) q[i]; }
for uint[4] i in {1, 3} { x q[i]; }
int place = 0;
for bit b in pattern {
  if (b) { h q[place]; }
  place += 1;
}
for float a in {0.1, 0.2} { rx(a) q; }
c = measure q;
