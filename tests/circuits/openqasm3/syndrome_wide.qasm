// Comparing a whole register, and a comparison that always or never holds.
OPENQASM 3.0;
include "stdgates.inc";
qubit[4] q;
bit[3] syn;
bit c;
h q[0:2];
syn = measure q[0:2];
if (syn == 5) x q[3];
if (syn != 3) ry(0.4) q[3];
if (syn >= 6) h q[3];
if (syn < 8) rx(0.3) q[3];
if (syn == "011") rx(0.6) q[3];
c = measure q[3];
