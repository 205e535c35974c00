// Inverse, power and control, stacked.
OPENQASM 3.0;
include "stdgates.inc";
gate mix(a, b) p, r { rx(a) p; cx p, r; U(b, a, -b) r; }
qubit[4] q;
bit[4] c;
h q[0];
ry(0.7) q[3];
mix(0.3, 0.8) q[0], q[1];
inv @ mix(0.5, 0.2) q[1], q[2];
ctrl @ mix(0.6, -0.4) q[3], q[0], q[2];
negctrl @ inv @ mix(0.9, 0.1) q[0], q[1], q[3];
pow(2) @ mix(0.2, 0.3) q[2], q[3];
pow(-1) @ s q[1];
inv @ pow(3) @ t q[0];
ctrl(2) @ pow(2) @ sx q[0], q[1], q[2];
ctrl @ inv @ iswap q[0], q[1], q[3];
h q;
c = measure q;
