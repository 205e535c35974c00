// error: UnsupportedError: line 7: while
OPENQASM 3.0;
include "stdgates.inc";
qubit q;
bit c;
c = measure q;
while (c == 0) {
  h q;
  c = measure q;
}
