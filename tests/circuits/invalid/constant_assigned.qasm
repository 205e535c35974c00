// error: CircuitInvalidError: line 4: .*constant
OPENQASM 3.0;
const int n = 2;
n = 3;
