OPENQASM 3;
include "stdgates.inc";

// Phase of rz(1.2 * pi), to three bits
qubit[3] n;
qubit t;
bit[3] c;

h n;
x t;
// controlled rz: once, twice, four times
rz(0.6 * pi) t; cx n[0], t; rz(-0.6 * pi) t; cx n[0], t;
rz(1.2 * pi) t; cx n[1], t; rz(-1.2 * pi) t; cx n[1], t;
rz(2.4 * pi) t; cx n[2], t; rz(-2.4 * pi) t; cx n[2], t;
// inverse Fourier transform
h n[2];
cp(-pi/2) n[2], n[1];
h n[1];
cp(-pi/4) n[2], n[0];
cp(-pi/2) n[1], n[0];
h n[0];
c[0] = measure n[2];
c[1] = measure n[1];
c[2] = measure n[0];
