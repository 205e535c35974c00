"""Our parser accepts and refuses what the reference parser of OpenQASM 3 does, and its errors name the same place."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.circuit.openqasm.grammar import Parser
from gateway.circuit.openqasm.statements import blank_comments
from gateway.circuit.openqasm.tokens import Kind
from gateway.errors import CircuitSyntaxError

openqasm3 = pytest.importorskip("openqasm3")

CORPUS = sorted((Path(__file__).parents[2] / "circuits" / "openqasm3").glob("*.qasm"))
TEXTS = [path.read_text() for path in CORPUS]
VERSION = re.compile(r"\s*OPENQASM\s+[\d.]+\s*;")
TOKEN = re.compile(r"\"[^\"\n]*\"|//[^\n]*|[^\W\d]\w*|[0-9][\w.]*|\*\*|\+\+|&&|\|\||[=!<>]=|->|\s+|.", re.DOTALL)
TOKENS = [token for text in TEXTS for token in TOKEN.findall(text) if not token.isspace()]

LENIENT = re.compile(
    r"(?:[;{}]|\A)\s*;|(?:[(\[,=+*/%^:-]|return)\s*\+|\bpow\s*\([^@]*;|\bnop\b|@\w|gphase\(\)",
    re.DOTALL,
)
"""What ours accepts beyond the grammar: empty statements, signs +, pow(), nop, modifiers without a space."""


def parsed(text: str) -> bool:
    """Return whether our parser accepts a text."""
    try:
        blanked = blank_comments(text)
        version = VERSION.match(blanked)
        parser = Parser(blanked, version.end() if version else 0)
        while parser.tokens.kind != Kind.END:
            parser.statement()
    except CircuitSyntaxError:
        return False
    return True


def parsed_by_reference(text: str) -> bool:
    """Return whether the reference parser accepts a text."""
    try:
        openqasm3.parse(text)
    except Exception:  # noqa: BLE001 - it raises many
        return False
    return True


STATEMENTS = """
int[8] a = 1;
int a;
uint[4] a = 2 + 3 * 4 ** 2;
float[64] a = 1.5e-3;
angle[8] a = pi;
bool a = true;
bit[4] a = "0110";
bit a = measure q;
const int a = 1;
const int a;
complex[float[64]] a = 1.0 + 2im;
array[int[8], 2, 3] a = {{1, 2, 3}, {4, 5, 6}};
duration a = 100ns;
duration a = durationof({ x q; });
stretch a;
input float a;
output bit[2] a;
input float a = 1;
output qubit a;
qubit[2] a;
qubit a[2];
qreg a[2];
creg a;
let a = q[0:1] ++ q[{2, 3}];
let a = q ++ r ++ s;
let a;
a = 1;
a[0] = 1;
a[0:2] = b;
a[{1, 2}] = measure q[{3, 4}];
a += 1;
a <<= 2;
a **= 2;
a ~= 2;
a = measure q;
a == 1;
a = b = 1;
1 + 2;
f(1, 2);
f();
f(1, 2,);
f;
measure q;
measure q -> c;
measure q -> c[0];
c = measure q[0:1];
measure q, r;
reset q;
reset q[0:1];
reset;
barrier;
barrier q, r[0];
delay[100ns] q;
delay[a * 2] q, r;
delay q;
box { x q; }
box[100ns] { x q; }
box x q;
x q;
x q, r;
x q[0], $1;
rx(pi / 2) q;
rx() q;
rx(1, 2) q;
rx(1,) q;
x[100ns] q;
rx(1)[100ns] q;
gphase(pi);
gphase(pi) q;
ctrl @ gphase(pi) q;
ctrl @ x q, r;
ctrl(2) @ negctrl @ inv @ pow(1/2) @ x q, r, s, t;
inv(2) @ x q;
pow @ x q;
ctrl x q;
ctrl @ x;
gate g a { x a; }
gate g(t) a, b { rx(t) a; cx a, b; }
gate g() a { }
gate g { }
gate g a, { }
gate g a { measure a; }
gate g a { int b; }
gate g a { for int i in [0:1] { x a; } }
gate g a { gate h b { } }
def f() { }
def f(qubit a) -> bit { return measure a; }
def f(qubit[2] a, int[8] b, bit c) { return; }
def f(a) { }
def f(qubit a) -> qubit { }
def f(qreg a[2], creg b) { }
if (a) x q;
if (a) { x q; } else { y q; }
if (a) x q; else if (b) y q; else z q;
if a { }
if (a) { } else
if () { }
for int i in [0:3] x q[i];
for int i in [0:2:6] { x q[i]; break; continue; }
for uint[8] i in {1, 2, 3} { }
for bit b in c { }
for int i in f(2) { }
for i in [0:1] { }
for int i in [0] { }
for int i in [:] { }
while (a) { break; }
while (a) x q;
break;
continue;
return;
end;
switch (a) { case 1 { x q; } case 2, 3 { } default { y q; } }
switch (a) { default { } }
switch (a) { }
switch (a) { case 1 x q; }
switch (a) { default { } case 1 { } }
{ x q; { y q; } }
{ x q;
}
@note some text (((
@a.b.c
x q; @note
#pragma anything ((
pragma anything
include "stdgates.inc";
include stdgates;
{ include "stdgates.inc"; }
{ qubit q; }
{ def f() { } }
{ gate g a { } }
OPENQASM 3.0;
a = -b ** 2;
a = !b && ~c;
a = b[0][1];
a = b[0, 1];
a = b[0:1:4];
a = b[:];
a = b[1:2:];
a = (b + c)[0];
a = int[8](b);
a = int(b)[0];
a = bit[4](b) | "0101";
a = 0x1F + 0b101 + 0o17 + 1_000;
a = 1__0;
a = 0x;
a = .5 + 5. + 1e3 + 1.e-3;
a = 1e;
a = 10 ns + 5us;
a = 1im;
a = "012";
a = "";
a = "0_1";
a = b ? c : d;
a = b++;
a = {1, 2};
a = ;
a = (b;
a = b);
a = sizeof(b);
cal { anything ((; }
defcal x $0 { play(); }
defcalgrammar "openpulse";
extern f(int[8], float) -> int;
x q
y q;
@
@ a
@1 a
@.a
x q[;
$0 = 1;
π = 1;
x €;
a = 'b';
""".strip().splitlines()


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_both_accept_the_corpus(path: Path) -> None:
    text = path.read_text()
    if not LENIENT.search(blank_comments(text)):
        assert parsed_by_reference(text)
    assert parsed(text)


@pytest.mark.parametrize("statement", STATEMENTS)
def test_both_accept_or_refuse_each_construct(statement: str) -> None:
    assert parsed(statement) == parsed_by_reference(statement)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.sampled_from(TEXTS), st.randoms(use_true_random=False))
def test_both_accept_or_refuse_a_damaged_program(text: str, random: Random) -> None:
    tokens = TOKEN.findall(text)
    for _ in range(random.randint(1, 2)):
        place = random.randrange(len(tokens))
        tokens[place : place + random.randint(0, 2)] = [random.choice(TOKENS) for _ in range(random.randint(0, 1))]
    damaged = "".join(tokens)
    if not LENIENT.search(blank_comments_or_nothing(damaged)):
        assert parsed(damaged) == parsed_by_reference(damaged)


def blank_comments_or_nothing(text: str) -> str:
    try:
        return blank_comments(text)
    except CircuitSyntaxError:
        return ""
