// Delays, durations and boxes change nothing.
OPENQASM 3.0;
include "stdgates.inc";
duration wait = 100ns;
stretch rest;
qubit[2] q;
bit[2] c;
h q[0];
delay[wait] q[0];
c[0] = measure q[0];
box[300ns] {
  if (c[0]) { x q[1]; }
  delay[2 * wait] q;
  delay[rest] q[1];
}
c[1] = measure q[1];
