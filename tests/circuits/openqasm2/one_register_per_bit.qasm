// A classical register of one bit for every qubit, as compilers write them.
OPENQASM 2.0;
include "qelib1.inc";
qreg qb_0[1];
qreg qb_1[1];
qreg qb_2[1];
creg cb_0[1];
creg cb_1[1];
creg cb_2[1];
h qb_0[0];
cx qb_0[0], qb_1[0];
cx qb_1[0], qb_2[0];
measure qb_0[0] -> cb_0[0];
measure qb_1[0] -> cb_1[0];
measure qb_2[0] -> cb_2[0];
