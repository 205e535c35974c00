// Three bits of a phase, the last first, with angles from an angle that outcomes decide; right: 101.
OPENQASM 3.0;
include "stdgates.inc";
qubit[2] q;
bit[3] c;
float correction = 0;
x q[1];
for int k in [0:2] {
  reset q[0];
  h q[0];
  cp(2 * pi * 5 / 8.0 * 2 ** (2 - k)) q[0], q[1];
  rz(-correction) q[0];
  h q[0];
  c[k] = measure q[0];
  correction = correction / 2;
  if (c[k]) { correction += pi / 2; }
}
