// As AutoQASM writes a result: the outcomes, copied to the output.
OPENQASM 3.0;
include "stdgates.inc";
output bit[2] return_value;
qubit[2] q_;
h q_[0];
cx q_[0], q_[1];
bit[2] bit_0 = "00";
bit_0[0] = measure q_[0];
bit_0[1] = measure q_[1];
return_value = bit_0;
