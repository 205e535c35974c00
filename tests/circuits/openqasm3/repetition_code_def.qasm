// The bit-flip code with its syndrome measured by a subroutine and decoded by a switch.
OPENQASM 3.0;
include "stdgates.inc";
def syndrome(qubit[3] d, qubit[2] a) -> bit[2] {
  cx d[0], a[0];
  cx d[1], a[0];
  cx d[1], a[1];
  cx d[2], a[1];
  return measure a;
}
qubit[3] data;
qubit[2] anc;
bit[2] syn;
bit[3] c;
ry(1.0) data[0];
cx data[0], data[1];
cx data[0], data[2];
rx(0.7) data[1];
syn = syndrome(data, anc);
switch (syn) {
  case 1 { x data[0]; }
  case 2 { x data[2]; }
  case 3 { x data[1]; }
}
c = measure data;
