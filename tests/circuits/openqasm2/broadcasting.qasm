// All forms of applying a gate to whole registers.
OPENQASM 2.0;
include "qelib1.inc";
qreg a[3];
qreg b[3];
qreg one[1];
creg c[3];
creg d[3];
ry(0.5) a;
h one[0];
cx a, b;
cx one[0], a;
cz b, one[0];
cx a[1], b;
reset one;
measure a -> c;
measure b -> d;
