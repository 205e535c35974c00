// error: UnsupportedError: line 4: delay
OPENQASM 3.0;
qubit q;
delay[100ns] q;
