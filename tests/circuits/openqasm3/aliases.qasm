// Aliases of slices, of index sets and of registers joined together.
OPENQASM 3.0;
include "stdgates.inc";
qubit[3] a;
qubit[4] b;
bit[7] c;
let even = b[0:2:3];
let odd = b[{1, 3}];
let all = a ++ b;
let few = a[1:2] ++ odd;
h even;
cx even, odd;
ry(0.4) few;
x all[-1];
cz all[0:2], all[3:5];
h a;
c[0:2] = measure a;
c[3:6] = measure b;
