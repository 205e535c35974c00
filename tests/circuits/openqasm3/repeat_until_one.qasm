// A coin is tossed until it shows 1; right: c is 1.
OPENQASM 3.0;
include "stdgates.inc";
qubit q;
bit c;
h q;
c = measure q;
while (c == 0) {
  h q;
  c = measure q;
}
