// error: UnsupportedError: line 4: pragma braket noise
OPENQASM 3.0;
qubit q;
#pragma braket noise bit_flip(0.1) q
