// A number built bit by bit, by shifts; right: value is the reversed register.
OPENQASM 3.0;
include "stdgates.inc";
qubit[3] q;
bit[3] c;
output uint[3] value;
ry(1.0) q[0];
h q[1];
ry(2.0) q[2];
value = 0;
for int i in [0:2] {
  c[i] = measure q[i];
  value <<= 1;
  value |= uint[3](c[i]);
}
