// error: LimitError: steps
OPENQASM 3.0;
int i = 0;
while (i >= 0) { i += 1; }
