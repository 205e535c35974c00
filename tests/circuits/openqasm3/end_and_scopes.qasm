// Shadowed names in inner blocks, and an end before the last statement.
OPENQASM 3.0;
include "stdgates.inc";
qubit[2] q;
bit[2] c;
int k = 1;
{
  int k = 3;
  rx(0.2 * k) q[0];
}
for int k in [5:6] { ry(0.1 * k) q[1]; }
rx(0.3 * k) q[1];
box { cx q[0], q[1]; }
@note nothing happens here
c = measure q;
end;
x q;
