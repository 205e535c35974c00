// The first 1 of three tosses ends the loop; right (place, bits): 00001 1/2, 01010 1/4, 10100 1/8, 11000 1/8.
OPENQASM 3.0;
include "stdgates.inc";
qubit[3] q;
bit[3] c;
output uint[2] place;
h q;
place = 3;
for uint i in [0:2] {
  c[i] = measure q[i];
  if (c[i]) { place = i; break; }
}
