// Definitions that shadow the standard gates of the same name: here h is a rotation, and t an x.
OPENQASM 2.0;
gate h a { U(pi/3, 0, 0) a; }
gate t a { U(pi, 0, pi) a; }
gate swap a, b { CX a, b; }
qreg q[3];
creg c[3];
h q[0];
t q[1];
swap q[1], q[2];
h q[2];
measure q -> c;
