// error: CircuitSyntaxError: .
OPENQASM 2.0;
include "qelib1.inc";
gate pair a, b { h a; cx a, b;
qreg q[2];
pair q[0], q[1];
