// Simon's problem with the period 11: the outcomes are orthogonal to it.
OPENQASM 2.0;
include "qelib1.inc";
qreg in[2];
qreg out[2];
creg c[2];
creg f[2];
h in;
cx in[0], out[0];
cx in[1], out[0];
cx in[0], out[1];
cx in[1], out[1];
measure out -> f;
h in;
measure in -> c;
