// error: UnsupportedError: line 8: .*'angle_'.*real numbers
OPENQASM 3.0;
include "stdgates.inc";
qubit q;
bit c;
float angle_ = 0.1;
c = measure q;
while (c == 0) {
  rx(angle_) q;
  angle_ *= 2;
  c = measure q;
}
