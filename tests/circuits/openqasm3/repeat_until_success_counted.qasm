// At most three tosses, counted; right (tries, c): 001 1/2, 101 1/4, 111 1/8, 110 1/8.
OPENQASM 3.0;
include "stdgates.inc";
qubit q;
bit c;
output uint[2] tries;
tries = 0;
while (!c && tries < 3) {
  reset q;
  h q;
  c = measure q;
  tries += 1;
}
