// Three steps of a walk on a circle of four places, driven by a coin.
OPENQASM 2.0;
include "qelib1.inc";
gate up coin, a, b { ccx coin, a, b; cx coin, a; }
gate down coin, a, b { x coin; cx coin, a; ccx coin, a, b; x coin; }
gate walk coin, a, b { h coin; up coin, a, b; down coin, a, b; }
qreg coin[1];
qreg place[2];
creg c[2];
creg side[1];
walk coin[0], place[0], place[1];
walk coin[0], place[0], place[1];
walk coin[0], place[0], place[1];
measure place -> c;
measure coin -> side;
