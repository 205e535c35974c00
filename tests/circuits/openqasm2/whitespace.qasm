// Statements on one line, on many lines, with tabs and without spaces.
OPENQASM 2.0;include "qelib1.inc";qreg q[3];creg c[3];
	h	q[0]  ;


cx q[0],q[1];cx
   q[1]
 ,
   q[2]
;
  rx( pi /  2 )   q [ 2 ] ;
u3(pi/2,
   0,
   pi)q[0];
if(c==0)x q[1];
measure q->c;
