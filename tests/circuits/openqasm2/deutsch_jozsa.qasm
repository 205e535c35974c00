// Deutsch and Jozsa's problem with a balanced function of three bits.
OPENQASM 2.0;
include "qelib1.inc";
qreg in[3];
qreg out[1];
creg c[3];
x out[0];
h in;
h out[0];
cx in[0], out[0];
ccx in[1], in[2], out[0];
h in;
measure in -> c;
