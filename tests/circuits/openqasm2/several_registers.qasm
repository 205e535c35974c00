// Three quantum and three classical registers of different sizes, measured in another order.
OPENQASM 2.0;
include "qelib1.inc";
qreg a[2];
creg x0[1];
qreg b[1];
creg y0[3];
qreg c[3];
creg z0[2];
h a[0];
cx a[0], b[0];
x c[1];
ry(0.4) c[2];
measure c -> y0;
measure b[0] -> x0[0];
measure a -> z0;
