// Order finding of 7 modulo 15 on a register prepared in 1, with three counting qubits.
OPENQASM 2.0;
include "qelib1.inc";
gate times4mod15 c, a0, a1, a2, a3 { cswap c, a0, a2; cswap c, a1, a3; }
gate times7mod15 c, a0, a1, a2, a3 {
  cswap c, a0, a1;
  cswap c, a1, a2;
  cswap c, a2, a3;
  cx c, a0; cx c, a1; cx c, a2; cx c, a3;
}
qreg n[3];
qreg a[4];
creg c[3];
x a[0];
h n;
times7mod15 n[0], a[0], a[1], a[2], a[3];
times4mod15 n[1], a[0], a[1], a[2], a[3];
swap n[0], n[2];
h n[0];
cu1(-pi/2) n[0], n[1];
h n[1];
cu1(-pi/4) n[0], n[2];
cu1(-pi/2) n[1], n[2];
h n[2];
measure n -> c;
