// error: UnsupportedError: line 3: input n
OPENQASM 3.0;
input int n;
qubit q;
