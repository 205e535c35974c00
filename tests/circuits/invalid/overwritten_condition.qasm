// error: UnsupportedError: line [89]: .*clbit
OPENQASM 3.0;
include "stdgates.inc";
qubit[2] q;
bit c;
if (c == 0) {
  c = measure q[0];
  x q[1];
}
