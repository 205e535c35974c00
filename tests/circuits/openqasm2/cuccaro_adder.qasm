// Cuccaro's ripple-carry adder of two bits with nested gate definitions: 3 + (superposed 1 or 3).
OPENQASM 2.0;
include "qelib1.inc";
gate majority a, b, c { cx c, b; cx c, a; ccx a, b, c; }
gate unmajority a, b, c { ccx a, b, c; cx c, a; cx a, b; }
gate add2 cin, a0, b0, a1, b1, cout {
  majority cin, b0, a0;
  majority a0, b1, a1;
  cx a1, cout;
  unmajority a0, b1, a1;
  unmajority cin, b0, a0;
}
qreg cin[1];
qreg a[2];
qreg b[2];
qreg cout[1];
creg sum[3];
x a;
x b[0];
h b[1];
add2 cin[0], a[0], b[0], a[1], b[1], cout[0];
measure b[0] -> sum[0];
measure b[1] -> sum[1];
measure cout[0] -> sum[2];
