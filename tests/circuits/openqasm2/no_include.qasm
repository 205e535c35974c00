// Without any include: only U and CX are used.
OPENQASM 2.0;
qreg q[3];
creg c[3];
U(pi/2, 0, pi) q[0];
CX q[0], q[1];
U(0.3, -0.2, 1.4) q[2];
CX q[2], q[1];
U(0, 0, pi/4) q;
U(pi/2, 0, pi) q[0];
measure q -> c;
