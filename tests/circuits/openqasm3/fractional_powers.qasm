// Powers that are not whole: roots of gates, also under control.
OPENQASM 3.0;
include "stdgates.inc";
qubit[3] q;
bit[3] c;
h q[0];
pow(0.5) @ x q[1];
pow(0.25) @ z q[0];
pow(0.5) @ h q[2];
ctrl @ pow(0.3) @ y q[0], q[1];
pow(0.5) @ swap q[1], q[2];
pow(-0.5) @ cx q[0], q[2];
pow(1.5) @ rx(0.4) q[0];
pow(0.5) @ ctrl @ U(0.3, 0.2, 0.1) q[2], q[0];
h q;
c = measure q;
