// Comments wherever they may stand.
// And another line of them; with a semicolon, "quotes" and a brace {
OPENQASM 2.0; // after the header
include "qelib1.inc"; // x q[0];
qreg q[2]; // two qubits
// creg d[4];
creg c[2];
h q[0]; // h q[1];
cx q[0], // between the operands
   q[1];
measure q -> c; // the end
// really
