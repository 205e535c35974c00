OPENQASM 3;
include "stdgates.inc";

// Finds 101 among eight, with a probability of 0.95 after two rounds
qubit[3] q;
bit[3] c;

h q;
for int round in [1:2] {
  x q[1]; ccz q[0], q[1], q[2]; x q[1]; // turns the sign of 101
  h q; x q;
  ccz q[0], q[1], q[2];
  x q; h q;
}
c = measure q;
