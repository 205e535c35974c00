// A T gate by a magic state, a measurement and a conditional S; right: equal to h t h on q[0].
OPENQASM 3.0;
include "stdgates.inc";
qubit[2] q;
bit[2] c;
h q[0];
h q[1];
t q[1];
cx q[0], q[1];
c[1] = measure q[1];
if (c[1]) { s q[0]; }
h q[0];
c[0] = measure q[0];
