// Gate definitions that contain loops and call each other with modifiers.
OPENQASM 3.0;
include "stdgates.inc";
gate wiggle(a) p, r {
  for int i in [1:3] {
    rx(a / i) p;
    cp(a * i) p, r;
  }
}
gate both(a) p, r, s { ctrl @ wiggle(a) p, r, s; inv @ wiggle(2 * a) s, r; }
qubit[3] q;
bit[3] c;
h q;
both(0.4) q[0], q[1], q[2];
both(-0.2) q[2], q[0], q[1];
h q;
c = measure q;
