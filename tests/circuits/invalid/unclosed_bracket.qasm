// error: CircuitSyntaxError: line 4
OPENQASM 2.0;
qreg q[2];
U(0, 0, 0) q[1;
