OPENQASM 3;
include "stdgates.inc";

// Three qubits carry one bit; each round may flip some, two syndromes say which one to flip back
qubit[3] data;
qubit[2] helper;
bit[2] syndrome;
bit[3] c;

x data;
for int round in [1:2] {
  for int i in [0:2] {
    rx(0.4) data[i]; // an error, with a probability of 0.04
  }
  reset helper;
  cx data[0], helper[0]; cx data[1], helper[0];
  cx data[1], helper[1]; cx data[2], helper[1];
  syndrome = measure helper;
  if (syndrome == 1) x data[0];
  if (syndrome == 3) x data[1];
  if (syndrome == 2) x data[2];
}
c = measure data;
