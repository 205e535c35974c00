// error: UnsupportedError: line 5: .*opaque
OPENQASM 2.0;
opaque pulse q;
qreg q[1];
pulse q[0];
