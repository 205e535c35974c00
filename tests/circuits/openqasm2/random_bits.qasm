// Three fair coins and one that is not.
OPENQASM 2.0;
include "qelib1.inc";
qreg q[4];
creg c[4];
h q[0];
h q[1];
h q[2];
ry(2*asin(sqrt(0.2))) q[3];
measure q -> c;
