// Two rounds of QAOA for the largest cut of a ring of four with a chord.
OPENQASM 2.0;
include "qelib1.inc";
gate edge(gamma) a, b { cx a, b; rz(2*gamma) b; cx a, b; }
qreg q[4];
creg c[4];
h q;
edge(0.45) q[0], q[1];
edge(0.45) q[1], q[2];
edge(0.45) q[2], q[3];
edge(0.45) q[3], q[0];
edge(0.45) q[0], q[2];
rx(2*0.62) q;
edge(0.8) q[0], q[1];
edge(0.8) q[1], q[2];
edge(0.8) q[2], q[3];
edge(0.8) q[3], q[0];
edge(0.8) q[0], q[2];
rx(2*0.31) q;
measure q -> c;
