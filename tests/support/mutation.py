"""Makes inputs for the parsers: programs and messages of the corpus, with edits that know their grammar."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from hypothesis import strategies as st
from support.circuits import random_circuit, random_dynamic_circuit

from gateway.protocol.messages import RunRequest, encode

TESTS = Path(__file__).parents[1]
PROGRAMS = [path.read_text(encoding="utf-8") for path in sorted((TESTS / "circuits").rglob("*.qasm"))]
BODY = (TESTS / "golden" / "request.json").read_bytes()

TOKEN = re.compile(r"\"[^\"\n]*\"|//[^\n]*|[^\W\d]\w*|[0-9][\w.]*|\*\*|\+\+|&&|\|\||[=!<>]=|->|\s+|.", re.DOTALL)
_PIECE = re.compile(r"[^;{}]*[;{}]?")
_NAME = re.compile(r"[^\W\d]\w*")

WORDS = """OPENQASM include qreg creg qubit bit gate opaque measure reset barrier if else for while in switch case
    default def return const int uint float angle bool complex duration stretch array let input output ctrl
    negctrl inv pow end break continue box delay extern cal defcal defcalgrammar pragma U CX gphase u u3 p x
    h s sx rz cx ccx swap cu c3x rzz c4x rccx iswap q c a i pi tau euler true false sin cos ln sqrt exp mod
    popcount rotl sizeof π _""".split()  # noqa: SIM905 - a list of words reads best as words
NUMBERS = """0 1 2 3 7 0.5 1e-9 .5 3. 1e308 1e309 1e-400 -1 0x1F 0b101 0o17 1_000 63 64 65 4095 4096 4097 65536 65537
    2147483648 4294967296 9223372036854775807 18446744073709551616 99999999999999999999 1im 2ns 9e999999""".split()  # noqa: SIM905 - a list of words reads best as words
MARKS = r"""; , . : :: ( ) [ ] { } = == != < <= > >= + - * / % ** ^ ++ & && | || ~ ! << >> -> @ # ' " // /* */ \ $0 $1
    += ^= **= "01" "1_0" 'x""".split()  # noqa: SIM905 - a list of words reads best as words
SPACES = [" ", "\n", "\t", "\r", "\0", "\ufeff", "\u2028", "\x0b", "é", "𝜋", "٣", "\udcff"]
TOKENS = [*WORDS, *NUMBERS, *MARKS, *SPACES]
HEADERS = [
    "",
    "OPENQASM 2.0;\n",
    'OPENQASM 3.0;\ninclude "stdgates.inc";\n',
    "OPENQASM 3;",
    "OPENQASM 2.0;qreg q[3];creg c[3];",
    "OPENQASM 3;qubit[3] q;bit[3] c;",
]
_OPERATORS = "+ - * / % ** ^ & | << >> == != < <= > >= && ||".split()  # noqa: SIM905 - a list of words reads best as words
_AROUND = [
    "if (c == 1) {",
    "if (c[0]) {",
    "for int i in [0:2] {",
    "while (true) {",
    "{",
    "else {",
    "gate z0 a {",
    "box {",
]
_BEFORE = [
    "ctrl @",
    "negctrl(2) @",
    "inv @",
    "pow(2) @",
    "pow(0.5) @",
    "pow(-1/3) @",
    "if (c == 0)",
    "const",
    "@note x\n",
]
_NESTS = ["()", "[]", "{}", "-", "!", "~", "sin( )", "inv @", "ctrl @", "if (c==0) { }", "/**/"]
_STATEMENTS = [piece for text in PROGRAMS for piece in _PIECE.findall(text) if piece.strip()]


# ---------------------------------------------------------------------------- programs


def program(rng: Random) -> bytes:
    """Return a program of the corpus with some edits, most of which leave it well-formed."""
    text = rng.choice(PROGRAMS)
    for _ in range(rng.choice([1, 1, 1, 2, 2, 3, 5])):
        if rng.random() < 0.5:
            pieces = _PIECE.findall(text)
            rng.choice(_STATEMENT_EDITS)(pieces, rng)
        else:
            pieces = TOKEN.findall(text)
            rng.choice(_TOKEN_EDITS)(pieces, rng)
        text = "".join(pieces)
    return text.encode(errors="surrogateescape")


def _at(pieces: list[str], rng: Random) -> int:
    return rng.randrange(len(pieces) + 1)


def _insert_statement(pieces: list[str], rng: Random) -> None:
    pieces.insert(_at(pieces, rng), rng.choice(_STATEMENTS))


def _move_statement(pieces: list[str], rng: Random) -> None:
    if pieces:
        pieces.insert(_at(pieces, rng), pieces.pop(rng.randrange(len(pieces))))


def _repeat_statement(pieces: list[str], rng: Random) -> None:
    at = _at(pieces, rng)
    pieces[at : at + 1] *= rng.choice([2, 3, 50, 500])


def _wrap_statements(pieces: list[str], rng: Random) -> None:
    at, size = _at(pieces, rng), rng.randint(1, 4)
    around = rng.choice(_AROUND)
    pieces[at : at + size] = [f" {around} ", *pieces[at : at + size], " } "]


def _prefix_statement(pieces: list[str], rng: Random) -> None:
    pieces.insert(_at(pieces, rng), f" {rng.choice(_BEFORE)} ")


def _delete(pieces: list[str], rng: Random) -> None:
    at = _at(pieces, rng)
    del pieces[at : at + rng.choice([1, 1, 1, 4])]


def _replace(pieces: list[str], rng: Random) -> None:
    at = _at(pieces, rng)
    pieces[at : at + 1] = [rng.choice(TOKENS)]


def _insert(pieces: list[str], rng: Random) -> None:
    pieces.insert(_at(pieces, rng), f" {rng.choice(TOKENS)} ")


def _nest(pieces: list[str], rng: Random) -> None:
    at, times = _at(pieces, rng), rng.choice([1, 2, 60, 150, 3000])
    nest = rng.choice(_NESTS)
    opening, _, closing = nest.partition(" ") if " " in nest else (nest[0], "", nest[1:])
    pieces[at : at + 1] = [f" {opening} " * times, *pieces[at : at + 1], f" {closing} " * times]


def _exchange(fits: Callable[[str], bool], by: list[str] | None) -> Callable[[list[str], Random], None]:
    """Return an edit that exchanges a piece that fits for a given one, or for another piece of the text that fits."""

    def edit(pieces: list[str], rng: Random) -> None:
        places = [index for index, piece in enumerate(pieces) if piece and fits(piece)]
        if places:
            pieces[rng.choice(places)] = rng.choice(by if by is not None else [pieces[place] for place in places])

    return edit


def _is_name(piece: str) -> bool:
    return _NAME.fullmatch(piece) is not None


_number = _exchange(lambda piece: piece[0].isdigit(), NUMBERS)
_swap_names = _exchange(_is_name, None)
_STATEMENT_EDITS = [
    _insert_statement, _move_statement, _repeat_statement, _wrap_statements, _prefix_statement, _delete,
]  # fmt: skip
_TOKEN_EDITS = [
    _number, _number, _swap_names, _swap_names, _exchange(_is_name, WORDS),
    _exchange(_OPERATORS.__contains__, _OPERATORS), _delete, _replace, _insert, _nest,
]  # fmt: skip


def soup(rng: Random) -> bytes:
    """Return words of the language in any order, after a header."""
    words = rng.choices(TOKENS, k=rng.randrange(60))
    return (rng.choice(HEADERS) + " ".join(words)).encode(errors="surrogateescape")


def texts() -> st.SearchStrategy[bytes]:
    """Return inputs for the OpenQASM parser."""
    noise = st.builds(lambda head, rest: head.encode() + rest, st.sampled_from(HEADERS), st.binary(max_size=200))
    mutants = st.randoms(use_true_random=True).map(lambda rng: (soup if rng.random() < 0.2 else program)(rng))
    return st.one_of(mutants, mutants, mutants, mutants, noise)


# ---------------------------------------------------------------------------- messages

_ODD: list[Any] = [
    None, True, False, -1, 0, 1, 2, 3, 1.5, -0.0, 1e308, 5e-324, float("nan"), float("inf"), 2**31, 2**32, 2**63, 2**64,
    10**30, -(10**30), 10**4000, 10**4299, "", "0", "x", "u", "measure", "barrier", "__class__", "counts",
    "statevector",
    "probabilities", "native", "\ud800", [], {}, [[]], [0], [0, 0], [[0]], [None], {"num_qubits": 1}, [[[0], 1, True]],
]  # fmt: skip


def body(rng: Random) -> bytes:
    """Return a message of valid circuits, with some things in it exchanged, and now and then some bytes."""
    message = json.loads(BODY if rng.random() < 0.2 else _valid(rng))
    for _ in range(rng.choice([0, 1, 1, 1, 2, 4])):
        _exchange_inside(message, rng)
    data = bytearray(json.dumps(message).encode())
    if rng.random() < 0.1:
        at = rng.randrange(len(data))
        data[at : at + rng.randrange(3)] = rng.randbytes(rng.randrange(3))
    return bytes(data)


def _valid(rng: Random) -> bytes:
    circuits = [
        random_dynamic_circuit(rng.randrange(2**32), 4, rng.randint(1, 5), rng.randint(1, 12))
        if rng.random() < 0.7
        else random_circuit(rng.randrange(2**32), rng.randint(1, 5), rng.randint(0, 9)).measure_all()
        for _ in range(rng.randint(1, 2))
    ]
    return encode(RunRequest(circuits=circuits[0] if len(circuits) == 1 else circuits, shots=rng.randint(1, 9)))


def _exchange_inside(value: Any, rng: Random) -> None:
    """Walk into a message and exchange, copy or remove one thing of it."""
    while value:
        key = rng.choice(list(value)) if isinstance(value, dict) else rng.randrange(len(value))
        if isinstance(value[key], dict | list) and rng.random() < 0.9:
            value = value[key]
            continue
        kind = rng.random()
        if kind < 0.1:
            del value[key]
        elif kind < 0.3 and isinstance(value, list):
            value.insert(key, copy.deepcopy(rng.choice(value)))
        elif isinstance(value[key], int | float) and abs(value[key]) < 2**53 and kind < 0.6:
            value[key] = value[key] + rng.choice([-1, 1, 0.5])
        else:
            value[key] = copy.deepcopy(rng.choice(_ODD))  # a copy of its own
        return


def bodies() -> st.SearchStrategy[bytes]:
    """Return inputs for the decoder."""
    mutants = st.randoms(use_true_random=True).map(body)
    return st.one_of(mutants, mutants, mutants, mutants, st.binary(max_size=200))


# ---------------------------------------------------------------------------- what is left of a failure


def reduced(data: bytes, fails: Callable[[bytes], bool]) -> bytes:
    """Return a shorter input that fails too: tokens are left out as long as it does."""
    tokens = TOKEN.findall(data.decode(errors="surrogateescape"))
    size = max(1, len(tokens) // 2)
    while size:
        at = 0
        while at < len(tokens):
            fewer = tokens[:at] + tokens[at + size :]
            if fails("".join(fewer).encode(errors="surrogateescape")):
                tokens = fewer
            else:
                at += size
        size //= 2
    return "".join(tokens).encode(errors="surrogateescape")
