"""Inputs for the parsers: programs and messages of the corpus, changed in ways that know their grammar."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

TESTS = Path(__file__).parents[1]
PROGRAMS = [path.read_text(encoding="utf-8") for path in sorted((TESTS / "circuits").rglob("*.qasm"))]
BODY = json.loads((TESTS / "golden" / "request.json").read_text(encoding="utf-8"))

_TOKEN = re.compile(r"\"[^\"\n]*\"|//[^\n]*|[^\W\d]\w*|[0-9][\w.]*|\*\*|\+\+|&&|\|\||[=!<>]=|->|\s+|.", re.DOTALL)
_STATEMENT = re.compile(r"[^;{}]*[;{}]?")

WORDS = """OPENQASM include qreg creg qubit bit gate opaque measure reset barrier if else for while in switch case default
    def return const int uint float angle bool complex duration stretch array let input output ctrl negctrl inv pow end
    break continue box delay extern cal defcal defcalgrammar pragma U CX gphase u u3 p x h s sx rz cx ccx swap cu c3x rzz
    c4x rccx iswap q c a i pi tau euler true false sin cos ln sqrt exp mod popcount rotl sizeof π _ measure""".split()
NUMBERS = """0 1 2 3 7 0.5 1e-9 .5 3. 1e308 1e309 1e-400 -1 0x1F 0b101 0o17 1_000 63 64 65 4095 4096 4097 65536 65537
    2147483648 4294967296 9223372036854775807 18446744073709551616 99999999999999999999 1im 2ns 9e999999""".split()
MARKS = r"""; , . : :: ( ) [ ] { } = == != < <= > >= + - * / % ** ^ ++ & && | || ~ ! << >> -> @ # ' " // /* */ \ $0 $1
    += ^= **= "01" "1_0" 'x""".split()
SPACES = [" ", "\n", "\t", "\r", "\0", "\ufeff", "\u2028", "\x0b", "é", "𝜋", "٣", "\ud800"]
TOKENS = st.sampled_from([*WORDS, *NUMBERS, *MARKS, *SPACES])
HEADERS = st.sampled_from(
    ["", "OPENQASM 2.0;\n", 'OPENQASM 3.0;\ninclude "stdgates.inc";\n', "OPENQASM 3;", "OPENQASM 2.0;qreg q[3];creg c[3];"]
)
_PAIRS = st.sampled_from(["()", "[]", "{}", "- ", "! ", "~ ", "ctrl@ ", "inv@ ", "sin( )", "if(c==0){ }", "/**/ "])
_STATEMENTS = [piece for text in PROGRAMS for piece in _STATEMENT.findall(text) if piece.strip()]

Edit = tuple[str, float, Any]
"""What is done to the tokens, at which part of the way through, with what."""

_EDITS: st.SearchStrategy[Edit] = st.one_of(
    *(
        st.tuples(st.just(kind), st.floats(0, 1, exclude_max=True), what)
        for kind, what in {
            "replace": TOKENS,
            "insert": TOKENS,
            "delete": st.integers(1, 6),
            "repeat": st.integers(2, 300),
            "copy": st.floats(0, 1, exclude_max=True),
            "statement": st.sampled_from(_STATEMENTS),
            "nest": st.tuples(_PAIRS, st.sampled_from([1, 2, 60, 150, 3000])),
            "number": st.sampled_from(NUMBERS),
            "block": st.integers(2, 40),
        }.items()
    )
)


@st.composite
def programs(draw: st.DrawFn) -> bytes:
    """Return a program of the corpus with some edits."""
    tokens = _TOKEN.findall(draw(st.sampled_from(PROGRAMS)))
    for kind, place, what in draw(st.lists(_EDITS, min_size=1, max_size=6)):
        _edit(tokens, kind, int(place * len(tokens)), what)
    return "".join(tokens).encode(errors="surrogatepass")


def _edit(tokens: list[str], kind: str, at: int, what: Any) -> None:
    """Do one edit."""
    match kind:
        case "replace":
            tokens[at : at + 1] = [what]
        case "insert" | "statement":
            tokens.insert(at, f" {what} " if kind == "insert" else what)
        case "delete":
            del tokens[at : at + what]
        case "repeat":
            tokens[at : at + 1] *= what
        case "copy":
            other = int(what * len(tokens))
            tokens[at:at] = tokens[other : other + 12]
        case "nest":
            pair, times = what
            opening, _, closing = pair.partition(" ") if " " in pair else (pair[0], "", pair[1:])
            tokens[at : at + 1] = [opening * times, *tokens[at : at + 1], closing * times]
        case "number":
            numbers = [index for index, token in enumerate(tokens) if token[:1].isdigit()]
            if numbers:
                tokens[numbers[at % len(numbers)]] = what
        case "block":
            tokens[at : at + what] = reversed(tokens[at : at + what])


def soups() -> st.SearchStrategy[bytes]:
    """Return words of the language in any order, after a header."""
    words = st.lists(TOKENS, max_size=60).map(" ".join)
    return st.builds(lambda head, rest: (head + rest).encode(errors="surrogatepass"), HEADERS, words)


def texts() -> st.SearchStrategy[bytes]:
    """Return inputs for the OpenQASM parser."""
    noise = st.builds(lambda head, rest: head.encode() + rest, HEADERS, st.binary(max_size=200))
    return st.one_of(programs(), programs(), programs(), soups(), noise)


_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 5),
    st.sampled_from([2**31, 2**32, 2**63, 2**64, 10**30, -(10**30), 10**4299, 1e308, 5e-324, -0.0]),
    st.floats(allow_nan=True),
    st.sampled_from([*WORDS, "counts", "probabilities", "statevector", "auto", "", "\ud800"]),
    st.sampled_from(PROGRAMS),
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(WORDS + list(BODY)), inner, max_size=3),
    max_leaves=8,
)
_INDEX = st.integers(-1, 4) | st.sampled_from([2**63, 10**20])
_COMPARISONS = st.tuples(st.lists(_INDEX, max_size=4), st.integers(-1, 20) | st.just(10**30), st.booleans())
_OPERATIONS = st.tuples(
    st.sampled_from([*WORDS, "cu3", "gphase", "xx_plus_yy", "__class__"]),
    st.lists(st.integers(0, 3), max_size=4),
    st.lists(st.floats(-10, 10) | _SCALARS, max_size=4),
    st.lists(st.integers(0, 3), max_size=1),
    st.lists(_COMPARISONS, max_size=2),
).map(list)
_CIRCUITS = st.fixed_dictionaries(
    {"num_qubits": st.integers(0, 5) | _INDEX, "num_clbits": st.integers(0, 5) | _INDEX},
    optional={"operations": st.lists(_OPERATIONS | _VALUES, max_size=6), "name": _VALUES},
)


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """Return inputs for the decoder: messages with fields exchanged, then bytes of them."""
    body = json.loads(json.dumps(BODY))
    for _ in range(draw(st.integers(0, 3))):
        _exchange(body, draw)
    if draw(st.booleans()):
        body["circuits"] = draw(_CIRCUITS | st.lists(_CIRCUITS, max_size=3))
        body["shots"] = draw(st.integers(0, 5) | st.none())
    data = bytearray(json.dumps(body).encode())
    for place, what in draw(st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.binary(max_size=3)), max_size=2)):
        data[int(place * len(data)) : int(place * len(data)) + 1] = what
    return bytes(data)


def _exchange(value: Any, draw: st.DrawFn) -> None:
    """Walk into a message and exchange one thing of it."""
    while True:
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        if not keys:
            return
        key = draw(st.sampled_from(keys))
        if not isinstance(value[key], dict | list) or draw(st.integers(0, 3)) == 0:
            value[key] = draw(_VALUES)
            return
        value = value[key]
