// Boolean expressions of measured bits.
OPENQASM 3.0;
include "stdgates.inc";
qubit[4] q;
bit[3] m;
bit c;
h q[0];
ry(0.8) q[1];
ry(2.1) q[2];
m = measure q[0:2];
if (m[0] ^ m[1]) ry(0.4) q[3];
if (m[0] && !m[2]) rx(0.5) q[3];
if (m[1] || m[2]) ry(0.6) q[3];
if (m > 2 && m != 5) rx(0.7) q[3];
if (bool(m)) ry(0.2) q[3];
if (m[0] == m[2]) ry(0.3) q[3];
c = measure q[3];
