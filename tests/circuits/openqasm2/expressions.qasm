// Every function and operator of OpenQASM 2 in the angles.
OPENQASM 2.0;
include "qelib1.inc";
qreg q[3];
creg c[3];
rx(sin(pi/6)) q[0];
ry(cos(pi/3) + tan(pi/8)) q[1];
rx(exp(-1) * ln(5)) q[2];
ry(sqrt(2)^3 / 4) q[0];
rz(-pi^2 / 7) q[1];
rx(-(1.5e-1 + .25) * 2) q[2];
u3(3 - 2 - 1 + pi/2, 2^3^2 / 512, -2^2 + 4.5) q[0];
h q[1];
u2(1 / 3 / 2, -(-0.7)) q[1];
cu1((pi)) q[0], q[2];
ry(1E0/2) q[2];
measure q -> c;
