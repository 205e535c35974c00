// An angle that depends on a register: the gate is written once for each value.
OPENQASM 3.0;
include "stdgates.inc";
qubit[3] q;
bit[2] c;
bit r;
h q[0];
h q[1];
c = measure q[0:1];
float half = 0.5 * c;
ry(half * pi / 3) q[2];
ry(sin(c * pi / 4) + 0.1 * c[1]) q[2];
r = measure q[2];
