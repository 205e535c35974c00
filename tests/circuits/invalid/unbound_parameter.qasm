// error: UnsupportedError: line 3: input theta
OPENQASM 3.0;
input float theta;
qubit q;
U(theta, 0, 0) q;
