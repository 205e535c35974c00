// Three rounds of the repetition code, with an error in the second; right: the error is found and mended.
OPENQASM 3.0;
include "stdgates.inc";
def syndrome(qubit[3] d, qubit a) -> uint[2] {
  uint[2] s = 0;
  reset a;
  cx d[0], a;
  cx d[1], a;
  s[0] = measure a;
  reset a;
  cx d[1], a;
  cx d[2], a;
  s[1] = measure a;
  return s;
}
qubit[3] d;
qubit a;
bit[3] c;
x d[0];
cx d[0], d[1];
cx d[0], d[2];
for int round_ in [0:2] {
  if (round_ == 1) { rx(pi / 3) d[2]; }
  uint[2] s = syndrome(d, a);
  switch (s) {
    case 1 { x d[0]; }
    case 2 { x d[2]; }
    case 3 { x d[1]; }
  }
}
c = measure d;
