// A global phase is seen only under control.
OPENQASM 3.0;
include "stdgates.inc";
gate turned(a) p { gphase(a); rx(a) p; }
qubit[3] q;
bit[3] c;
h q;
gphase(pi / 3);
ctrl @ gphase(pi / 4) q[0];
negctrl @ gphase(0.3) q[1];
ctrl(2) @ gphase(-0.9) q[0], q[2];
ctrl @ turned(0.8) q[1], q[2];
inv @ ctrl @ gphase(0.2) q[2];
h q;
c = measure q;
