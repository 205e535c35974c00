// Trotter steps of the Ising chain in a transverse field, starting from a domain wall.
OPENQASM 2.0;
include "qelib1.inc";
gate step(j, g) a, b, c, d {
  rzz(j) a, b;
  rzz(j) c, d;
  rzz(j) b, c;
  rx(g) a; rx(g) b; rx(g) c; rx(g) d;
}
qreg q[4];
creg c[4];
x q[2];
x q[3];
step(-0.4, 0.3) q[0], q[1], q[2], q[3];
step(-0.4, 0.3) q[0], q[1], q[2], q[3];
step(-0.4, 0.3) q[0], q[1], q[2], q[3];
measure q -> c;
