// error: UnsupportedError: line 4: .*measure
OPENQASM 3.0;
qubit q;
measure q;
