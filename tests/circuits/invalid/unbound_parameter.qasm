// error: UnsupportedError: line 5: parameter: theta has no value
OPENQASM 3.0;
input float theta;
qubit q;
if (theta > 1) { U(pi, 0, pi) q; }
