// A gate with an empty body, with and without parameters.
OPENQASM 2.0;
include "qelib1.inc";
gate nothing a, b { }
gate still(t) a {}
gate wrapped(t) a, b { still(t) a; nothing a, b; x b; still(2*t) b; }
qreg q[2];
creg c[2];
h q[0];
nothing q[0], q[1];
wrapped(0.3) q[0], q[1];
measure q -> c;
