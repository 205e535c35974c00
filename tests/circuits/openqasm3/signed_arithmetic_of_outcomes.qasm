// A signed counter walks up and down three times; right: the binomial distribution of its ends.
OPENQASM 3.0;
include "stdgates.inc";
qubit q;
bit c;
output int[3] walk;
walk = 0;
for int i in [0:2] {
  reset q;
  h q;
  c = measure q;
  if (c) { walk += 1; } else { walk -= 1; }
}
