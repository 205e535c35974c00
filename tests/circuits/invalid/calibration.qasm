// error: UnsupportedError: line 3: defcalgrammar
OPENQASM 3.0;
defcalgrammar "openpulse";
defcal x $0 { }
