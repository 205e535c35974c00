OPENQASM 3;
include "stdgates.inc";

// Tries until a helper is measured as 0; then q is as likely 1 as 0, and the helper was used an unknown number of times
qubit q;
qubit helper;
bit failed = 1;
bit c;

while (failed == 1) {
  reset q;
  reset helper;
  h helper;
  cx helper, q;
  h q;
  failed = measure helper;
}
c = measure q;
