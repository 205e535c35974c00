"""The syntax tree of OpenQASM: what the parser makes of a text, and the compiler makes steps of.

Every node has ``at``, its place in the text. Blocks are tuples of statements.
"""

from __future__ import annotations

from typing import NamedTuple

# ---------------------------------------------------------------------------- expressions


class Literal(NamedTuple):
    """A number, ``true`` or ``false``; ``float`` and ``complex`` values are those of Python."""

    at: int
    value: bool | int | float | complex


class Bits(NamedTuple):
    """A bit string such as ``"0110"``."""

    at: int
    value: int
    width: int


class Duration(NamedTuple):
    """A time such as ``100ns``, or ``durationof({...})``."""

    at: int


class Name(NamedTuple):
    """A name, or a physical qubit such as ``$3``."""

    at: int
    name: str


class Unary(NamedTuple):
    """``-x``, ``!x`` or ``~x``."""

    at: int
    operator: str
    operand: Expression


class Binary(NamedTuple):
    """An operator between two values; ``++`` joins registers."""

    at: int
    operator: str
    left: Expression
    right: Expression


class Range(NamedTuple):
    """``start:end`` or ``start:step:end``."""

    at: int
    start: Expression | None
    step: Expression | None
    end: Expression | None


class Set(NamedTuple):
    """``{a, b, c}``."""

    at: int
    values: tuple[Expression, ...]


class Index(NamedTuple):
    """``base[...]``."""

    at: int
    base: Expression
    indices: tuple[Expression | Range | Set, ...]


class Call(NamedTuple):
    """A call of a function or subroutine."""

    at: int
    name: str
    arguments: tuple[Expression, ...]


class Cast(NamedTuple):
    """``int[8](x)``."""

    at: int
    type: Type
    operand: Expression


class Measurement(NamedTuple):
    """``measure q``."""

    at: int
    qubits: Expression


Expression = Literal | Bits | Duration | Name | Unary | Binary | Range | Set | Index | Call | Cast | Measurement


class Type(NamedTuple):
    """A classical type, or ``qubit``."""

    at: int
    name: str
    size: Expression | None = None


# ---------------------------------------------------------------------------- statements


class Include(NamedTuple):
    """``include "path";``."""

    at: int
    path: str


class Declaration(NamedTuple):
    """A declaration of a variable, of bits or of qubits; ``role`` is empty, ``const``, ``input`` or ``output``."""

    at: int
    type: Type
    name: str
    initial: Expression | None
    role: str = ""


class Alias(NamedTuple):
    """``let name = value;``."""

    at: int
    name: str
    value: Expression


class Assignment(NamedTuple):
    """``target operator value;``, and measurements with an arrow."""

    at: int
    target: Expression
    operator: str
    value: Expression


class Statement(NamedTuple):
    """An expression that stands alone: a call, or a measurement without a target."""

    at: int
    value: Expression


class Modifier(NamedTuple):
    """``ctrl @`` and so on."""

    at: int
    name: str
    argument: Expression | None


class GateCall(NamedTuple):
    """A call of a gate."""

    at: int
    name: str
    modifiers: tuple[Modifier, ...]
    angles: tuple[Expression, ...]
    operands: tuple[Expression, ...]
    is_timed: bool = False


class Barrier(NamedTuple):
    """``barrier q;``, or of all qubits."""

    at: int
    operands: tuple[Expression, ...]


class Reset(NamedTuple):
    """``reset q;``."""

    at: int
    operand: Expression


class Delay(NamedTuple):
    """``delay[100ns] q;`` or ``nop q;``."""

    at: int
    operands: tuple[Expression, ...]


class GateDefinition(NamedTuple):
    """``gate name(angles) qubits { ... }``."""

    at: int
    name: str
    angles: tuple[str, ...]
    qubits: tuple[str, ...]
    body: tuple[AnyStatement, ...]


class Formal(NamedTuple):
    """An argument of a subroutine."""

    at: int
    type: Type
    name: str


class Subroutine(NamedTuple):
    """``def name(...) -> type { ... }``."""

    at: int
    name: str
    formals: tuple[Formal, ...]
    returns: Type | None
    body: tuple[AnyStatement, ...]


class Return(NamedTuple):
    """``return value;``."""

    at: int
    value: Expression | None


class If(NamedTuple):
    """``if (...) ... else ...``."""

    at: int
    condition: Expression
    then: tuple[AnyStatement, ...]
    otherwise: tuple[AnyStatement, ...]


class Switch(NamedTuple):
    """``switch (...) { case 1, 2 { ... } default { ... } }``."""

    at: int
    target: Expression
    cases: tuple[tuple[tuple[Expression, ...], tuple[AnyStatement, ...]], ...]
    default: tuple[AnyStatement, ...]


class For(NamedTuple):
    """``for type name in values ...``."""

    at: int
    type: Type
    name: str
    values: Expression
    body: tuple[AnyStatement, ...]


class While(NamedTuple):
    """``while (...) ...``."""

    at: int
    condition: Expression
    body: tuple[AnyStatement, ...]


class Jump(NamedTuple):
    """``break``, ``continue`` or ``end``."""

    at: int
    word: str


class Block(NamedTuple):
    """A block of its own, or a ``box``."""

    at: int
    body: tuple[AnyStatement, ...]
    is_box: bool = False
    is_timed: bool = False


class Pragma(NamedTuple):
    """``pragma ...`` or ``#pragma ...``, without the word itself."""

    at: int
    text: str


class Unsupported(NamedTuple):
    """A construct that has no meaning here, such as ``cal``."""

    at: int
    word: str
    why: str


class Nothing(NamedTuple):
    """An empty statement or an annotation."""

    at: int


AnyStatement = (
    Include | Declaration | Alias | Assignment | Statement | GateCall | Barrier | Reset | Delay | GateDefinition
    | Subroutine | Return | If | Switch | For | While | Jump | Block | Pragma | Unsupported | Nothing
)  # fmt: skip
